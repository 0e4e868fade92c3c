//! The rules of judgement (DESIGN §5), as stories and as properties.

mod ahead;
mod announced;
mod availability;
mod background;
mod behind;
mod blindness;
mod calling;
mod desk;
mod estate;
mod flapping;
mod health;
mod heartbeats;
mod holding;
mod incident;
mod jumping;
mod late;
mod leaving;
mod properties;
mod read_back;
mod receipts;
mod releases;
mod service_clocks;
mod storm;
mod tokens;
mod unheard;
mod watching;
