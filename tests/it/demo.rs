//! The demo's configuration beside the shipped contract.

use sla_tests::repository;

fn contract(file: &str) -> serde_yaml::Value {
    let text = std::fs::read_to_string(repository().join(file)).unwrap();
    let whole: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
    whole.get("contract").unwrap_or_else(|| panic!("{file} has no contract")).clone()
}

/// The demo promises what the shipped contract promises: one is not changed without the other.
#[test]
fn the_demo_has_the_shipped_contract() {
    assert_eq!(contract("deploy/demo/sla.yml"), contract("config/sla.yml"));
}
