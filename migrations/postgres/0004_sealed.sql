-- The outcomes of one track in one hour that is over, as one block (store/src/block.rs): a tenth of what they take as rows.
-- One that comes later stays in `outcome`, beside the block, until it is put into it.
--
-- `slot` is track * 2^22 + hours since 1970: the hours of one track lie beside each other in the key.
CREATE TABLE sealed (
    slot    BIGINT PRIMARY KEY,
    samples INTEGER NOT NULL,               -- how many are in the block
    block   BYTEA NOT NULL
);
