//! `pipeline run`.

mod control;
mod serve;
mod systemd;
mod watch;
