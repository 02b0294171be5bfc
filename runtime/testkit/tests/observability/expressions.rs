//! Every expression that is written anywhere has data in a real Prometheus that scrapes a real run.

use pipeline_testkit::kafka;

use crate::dashboards::queries;
use crate::rules::{alerting, recording};
use crate::scene::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn every_expression_has_data() {
    let kafka = kafka::cluster().shared();
    let scene = Scene::start(&kafka).await;
    for rule in recording() {
        scene.has_data("recording rule", rule.text("record")).await;
    }
    for alert in alerting() {
        scene
            .has_data(alert.text("alert"), &told(alert.text("expr")))
            .await;
    }
    for (place, query) in queries() {
        scene.has_data(&place, &query).await;
    }
    every_rule_is_evaluated(&scene).await;
}

/// The expression of an alert, whose comparisons tell 0 or 1 where they would else leave out what is well.
fn told(expression: &str) -> String {
    [" > ", " < ", " == "]
        .iter()
        .fold(expression.to_owned(), |told, comparison| {
            told.replace(comparison, &format!("{comparison}bool "))
        })
}

async fn every_rule_is_evaluated(scene: &Scene) {
    let rules = scene.prometheus.get("rules", &[]).await.expect("rules");
    let groups = rules["groups"].as_array().expect("groups").iter();
    let rules: Vec<_> = groups
        .flat_map(|group| group["rules"].as_array().expect("rules"))
        .collect();
    assert_eq!(rules.len(), recording().len() + alerting().len());
    for rule in rules {
        assert_eq!(rule["health"], "ok", "{rule}");
    }
}
