-- The pretend cloud. Money is integer fen. A MOMENT is UTC, in microseconds since 1970; Python sees aware datetimes.

CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE,
    situation TEXT NOT NULL,
    kind TEXT NOT NULL,
    real_name_type TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'ACTIVE',
    restricted INTEGER NOT NULL,
    available_fen INTEGER NOT NULL,
    frozen_fen INTEGER NOT NULL,
    in_withdrawal_fen INTEGER NOT NULL,
    offline_fen INTEGER NOT NULL,
    arrears_fen INTEGER NOT NULL,
    icp_applications_ever INTEGER NOT NULL,
    icp_active_filings INTEGER NOT NULL,
    closure_request_id TEXT,
    closed_at MOMENT,
    dossier_sha256 TEXT
);

-- What an account has, and the phase of closure that destroys it. What has no phase is not the cloud's to destroy.
CREATE TABLE belongings (
    id INTEGER PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts,
    phase TEXT,
    kind TEXT NOT NULL,
    -- An id; for personal data the value itself.
    reference TEXT NOT NULL DEFAULT '',
    value_fen INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX belongings_of ON belongings (account_id, phase);

CREATE TABLE provider_roles (
    account_id TEXT NOT NULL REFERENCES accounts,
    marketplace TEXT NOT NULL,
    businesses_in_progress INTEGER NOT NULL,
    PRIMARY KEY (account_id, marketplace)
);

-- A hold is known by its request. It lapses by itself; once released, even before it was taken, it never comes back.
CREATE TABLE holds (
    account_id TEXT NOT NULL REFERENCES accounts,
    request_id TEXT NOT NULL,
    token TEXT,
    expires_at MOMENT,
    released INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account_id, request_id)
);

-- A code that was sent. Neither it nor the proof is here, only their keyed hashes.
CREATE TABLE challenges (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts,
    channel TEXT NOT NULL,
    masked_destination TEXT NOT NULL,
    code_hash TEXT NOT NULL,
    tries INTEGER NOT NULL,
    wrong_answers INTEGER NOT NULL DEFAULT 0,
    created_at MOMENT NOT NULL,
    resend_after MOMENT NOT NULL,
    expires_at MOMENT NOT NULL,
    answered_at MOMENT,
    proof_hash TEXT,
    proof_expires_at MOMENT,
    redeemed_at MOMENT
);
CREATE INDEX challenges_of ON challenges (account_id, created_at);

-- A phase of deletion that takes its time. What it destroys is gone once somebody looks after `ends_at`.
CREATE TABLE long_work (
    account_id TEXT NOT NULL REFERENCES accounts,
    phase TEXT NOT NULL,
    key TEXT NOT NULL,
    ends_at MOMENT NOT NULL,
    PRIMARY KEY (account_id, phase, key)
);

-- What was answered to a request that is obeyed once. `account_id` is empty where the request names none.
CREATE TABLE replies (
    endpoint TEXT NOT NULL,
    account_id TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (endpoint, account_id, key)
);

-- A request that was obeyed, or found obeyed already.
CREATE TABLE calls (
    id INTEGER PRIMARY KEY,
    at MOMENT NOT NULL,
    endpoint TEXT NOT NULL,
    account_id TEXT,
    key TEXT NOT NULL,
    effect TEXT NOT NULL
);
CREATE INDEX calls_of ON calls (account_id, endpoint);

-- A message handed to a carrier. No destination: it went to a desk, or its owner's data have been erased.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    at MOMENT NOT NULL,
    account_id TEXT,
    carrier TEXT NOT NULL,
    destination TEXT,
    desk TEXT,
    template TEXT NOT NULL,
    locale TEXT NOT NULL,
    params TEXT NOT NULL,
    subject TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX outbox_of ON outbox (account_id);
CREATE INDEX outbox_to ON outbox (destination);

-- Keys the hashes. Made once, so that codes and proofs outlive the process.
CREATE TABLE server (secret TEXT NOT NULL);
INSERT INTO server VALUES (hex(randomblob(32)));
