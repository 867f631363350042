//! Which duties there are, with the reference contract's clauses and titles.

use crate::contract::Text;

/// One duty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Key of `contract.duties`, and label `duty` where it is watched.
    pub name: &'static str,
    /// Clause of the reference contract.
    pub clause: &'static str,
    /// Title in Japanese.
    pub ja: &'static str,
    /// Title in English.
    pub en: &'static str,
    /// What tells whether it is kept.
    pub source: Source,
}

/// What tells whether a duty is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Slots of the recording rules; kept where nearly all of them were measured.
    Slots,
    /// The same, of a state that changes slowly: kept where each day has a slot.
    Days,
    /// The ledger's incidents.
    Notices,
    /// The ledger's maintenance.
    Maintenance,
    /// The ledger's advisories.
    Advisories,
    /// The month's inquiries, and slots.
    Answers,
    /// Nothing: monitoring cannot see it. It has its line all the same, so that nobody takes it for kept.
    Unseen,
}

impl Source {
    /// Whether slots of the recording rules are asked for.
    #[must_use]
    pub fn is_watched(self) -> bool {
        matches!(self, Self::Slots | Self::Days | Self::Answers)
    }
}

const fn kind(name: &'static str, clause: &'static str, ja: &'static str, en: &'static str, source: Source) -> Kind {
    Kind { name, clause, ja, en, source }
}

/// All duties but availability, by clause.
pub const KINDS: &[Kind] = &[
    kind("monitoring", "C2.1", "全機器の監視", "Every device is watched", Source::Slots),
    kind("notices", "C2.2", "障害のお知らせ", "Notice of failures", Source::Notices),
    kind("maintenance", "C2.3", "計画メンテナンスの条件", "Terms of planned maintenance", Source::Maintenance),
    kind("redundancy", "C2.4", "機器・ディスクの冗長化", "Redundant devices and disks", Source::Slots),
    kind("backups", "C2.5", "バックアップの取得と保存", "Daily backups, kept a week", Source::Days),
    kind("restore_drills", "C2.5", "復元訓練", "Restore drills", Source::Days),
    kind("physical_protection", "C2.6.1", "機器の物理的な保護", "Physical protection of devices", Source::Unseen),
    kind("closed_ports", "C2.6.2", "不要なポートの閉鎖", "Ports that must be closed", Source::Slots),
    kind("encryption", "C2.6.3", "通信の暗号化", "Encrypted traffic", Source::Slots),
    kind("virus_check", "C2.6.4", "ウイルスチェック", "Virus check", Source::Slots),
    kind("authentication", "C2.6.5", "ログイン時の認証", "Login only with certificate and password", Source::Slots),
    kind("client_certificates", "C2.6.6", "クライアント証明書の更新", "Client certificates are renewed", Source::Days),
    kind("security_events", "C2.6.7", "セキュリティイベントの監視", "Security events are watched", Source::Slots),
    kind("security_updates", "C2.6.8", "セキュリティ更新の適用", "Security updates are applied", Source::Days),
    kind("advisories", "C2.6.8", "脆弱性情報への対応", "Advisories are settled in time", Source::Advisories),
    kind("personal_data", "C2.6.9", "個人情報の取り扱い", "Handling of personal data", Source::Unseen),
    kind("support_hours", "C3.2", "お問い合わせへの回答時間", "Hours of the support desk", Source::Unseen),
    kind("answers", "C3.4", "お問い合わせへの回答期限", "Inquiries are answered in time", Source::Answers),
];

/// Begins the name of the duty that a function's availability is: `availability/client`.
pub const AVAILABILITY: &str = "availability/";

impl Kind {
    /// The title in both languages.
    #[must_use]
    pub fn title(&self) -> Text {
        Text { ja: self.ja.to_owned(), en: self.en.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rules, the report and the dashboard speak of the same duties.
    #[test]
    fn every_duty_that_is_watched_has_rules_and_every_rule_a_duty() {
        let rules = include_str!("../../../../recording-rules/duties.yml");
        for kind in KINDS.iter().filter(|kind| kind.source.is_watched()) {
            let rule = format!("duty: {},", kind.name);
            assert_eq!(rules.matches(&rule).count(), 2, "{}: verdict and measured", kind.name);
        }
        for line in rules.lines().filter_map(|line| line.trim().strip_prefix("labels: {duty: ")) {
            let (name, rest) = line.split_once(',').unwrap();
            let kind = KINDS.iter().find(|kind| kind.name == name).unwrap_or_else(|| panic!("{name} is no duty"));
            assert!(rest.contains(&format!("clause: {}", kind.clause)), "{name}: {rest}");
        }
    }
}
