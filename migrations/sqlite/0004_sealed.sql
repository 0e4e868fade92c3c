-- The outcomes of one track in one hour that is over, as one block (store/src/block.rs): a tenth of what they take as rows.
-- One that comes later stays in `outcome`, beside the block, until it is put into it.
--
-- `slot` is track * 2^22 + hours since 1970: the hours of one track lie beside each other, and the key is the row's own
-- number, so that it takes no room twice and a long block does not spill over its page.
CREATE TABLE sealed (
    slot    INTEGER PRIMARY KEY,
    samples INTEGER NOT NULL,               -- how many are in the block
    block   BLOB NOT NULL
) STRICT;
