#!/bin/sh
# Creates the namespace with its retention, and the search attributes. Safe to run at every start: a namespace that
# exists gets the retention again, and only attributes that are missing are added.
# Reads TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, RETENTION, SEARCH_ATTRIBUTES (a file of "name type" lines) and ATTEMPTS.
set -eu

# The CLI takes its address and namespace from the environment.
export TEMPORAL_ADDRESS TEMPORAL_NAMESPACE

attempts_left=${ATTEMPTS:-30}

# Runs a command until it succeeds: a new server answers on its port before it can do everything.
patiently() {
    until output=$("$@" 2>&1 </dev/null); do
        attempts_left=$((attempts_left - 1))
        if [ "$attempts_left" -le 0 ]; then
            echo "Gave up on: $*" >&2
            echo "$output" >&2
            echo "Next step: check that Temporal answers at $TEMPORAL_ADDRESS, then run this job again." >&2
            exit 1
        fi
        sleep 2
    done
}

patiently temporal operator cluster health

if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
    patiently temporal operator namespace update --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
else
    patiently temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
fi

# A new namespace takes some seconds to be known everywhere.
patiently temporal operator search-attribute list
existing=$output

while read -r name type; do
    case $name in '' | '#'*) continue ;; esac
    registered=$(echo "$existing" | awk -v name="$name" '$1 == name { print $2 }')
    if [ -z "$registered" ]; then
        patiently temporal operator search-attribute create --name "$name" --type "$type"
        echo "Added search attribute $name ($type)"
    elif [ "$registered" != "$type" ]; then
        echo "Search attribute $name is registered as $registered, and the service needs $type." >&2
        echo "Next step: use another namespace, or remove it (temporal operator search-attribute remove)." >&2
        exit 1
    fi
done <"$SEARCH_ATTRIBUTES"

echo "Namespace $TEMPORAL_NAMESPACE is ready: retention $RETENTION"
