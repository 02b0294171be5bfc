//! Rules, dashboards and the way to start them: each expression against a real Prometheus that scrapes a real run, each
//! alert as promtool sees it fire and not fire.

mod alerts;
mod compose;
mod dashboards;
mod expressions;
mod rules;
mod scene;
