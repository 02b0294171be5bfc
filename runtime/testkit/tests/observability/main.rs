//! Each alert as promtool sees it fire and not fire, and as the person reads it who is woken up.

mod alerts;
mod rules;
