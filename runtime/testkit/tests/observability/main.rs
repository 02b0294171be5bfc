//! Alerts as promtool sees them fire and not fire, and as the person reads them who is woken up; dashboards and containers as
//! what they name: data sources, folders, versions, addresses.

mod alerts;
mod compose;
mod dashboards;
mod rules;
