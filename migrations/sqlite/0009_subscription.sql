-- People from outside who want to be told by e-mail. Nothing is kept of them but the address.
CREATE TABLE subscription (
    id          INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again: the links in e-mails are made from it
    address     TEXT NOT NULL,
    mailbox     TEXT NOT NULL,              -- the address without what spellings of one mailbox differ in
    state       TEXT NOT NULL,              -- asked, confirmed; back: once, when it works again
    since       INTEGER NOT NULL,           -- when it was asked for, or confirmed
    wish        TEXT NOT NULL,              -- domain::Wish
    due         INTEGER,                    -- an e-mail is to be sent, not before; NULL: none is
    lease_until INTEGER,                    -- somebody sends it; past: it may have been sent
    fence       INTEGER NOT NULL DEFAULT 0, -- claims so far; only the last claimer may settle
    tries       INTEGER NOT NULL DEFAULT 0, -- of this e-mail, that failed
    upto        INTEGER                     -- the last news in it, once it was first claimed: a repeat says the same
) STRICT;

CREATE INDEX subscription_mailbox ON subscription (mailbox);
CREATE INDEX subscription_due ON subscription (due) WHERE due IS NOT NULL;

-- What happened and was told to those who wanted it. The key is made from what happened: told twice, it is sent once.
CREATE TABLE news (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    key  TEXT NOT NULL UNIQUE,
    at   INTEGER NOT NULL,
    body TEXT NOT NULL                      -- domain::News
) STRICT;

-- News that is still to be sent to somebody.
CREATE TABLE letter (
    subscription INTEGER NOT NULL REFERENCES subscription (id) ON DELETE CASCADE,
    news         INTEGER NOT NULL REFERENCES news (id),
    PRIMARY KEY (subscription, news)
) STRICT, WITHOUT ROWID;
CREATE INDEX letter_news ON letter (news);
