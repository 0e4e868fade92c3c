//! The rules of judgement (DESIGN §5), as stories and as properties.

mod calling;
mod desk;
mod estate;
mod health;
mod holding;
mod incident;
mod leaving;
mod properties;
mod receipts;
mod watching;
