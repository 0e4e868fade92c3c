//! Stories: the real program, against a world of real sockets. Each reads as a requirement.

mod command_line;
mod kills;
mod nginx;
mod outage;
mod program;
mod secrets;
mod start_and_stop;
