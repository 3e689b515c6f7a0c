#!/bin/sh
# Creates and upgrades Temporal's two databases. Safe to run at every start: what exists is left as it is.
# Reads POSTGRES_HOST, POSTGRES_USER and SQL_PASSWORD.
set -eu

sql_tool() {
    temporal-sql-tool --plugin postgres12 --ep "$POSTGRES_HOST" -p 5432 -u "$POSTGRES_USER" --db "$@"
}

set_up() {
    database=$1
    schema=$2
    sql_tool "$database" create
    sql_tool "$database" setup-schema -v 0.0
    sql_tool "$database" update-schema -d "/etc/temporal/schema/postgresql/v12/$schema/versioned"
}

set_up temporal temporal
set_up temporal_visibility visibility
