//! The rules of judgement (DESIGN §5), as stories and as properties.

mod calling;
mod estate;
mod health;
mod holding;
mod incident;
mod late;
mod properties;
mod watching;
