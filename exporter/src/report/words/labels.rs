//! Labels: headings, rows and columns. Japanese in the words of the reference contract.

use crate::lang::Lang;

macro_rules! labels {
    ($($name:ident: $ja:literal, $en:literal;)*) => {
        $(
            #[doc = concat!($en, " (", $ja, ")")]
            #[must_use]
            pub fn $name(lang: Lang) -> &'static str {
                lang.pick($ja, $en)
            }
        )*
    };
}

labels! {
    title: "月間稼働率報告書", "Monthly availability report";
    period: "対象期間", "Period";
    status: "状態", "Status";
    generated: "作成日時", "Generated";
    revision: "改訂", "Revision";
    source: "測定データ", "Measured data";
    ledger: "運用台帳", "Ledger";
    tool: "作成ソフトウェア", "Software";
    // summary
    result: "結果", "Result";
    function: "機能", "Function";
    objective: "目標値", "Objective";
    availability: "月間稼働率", "Monthly availability";
    availability_short: "稼働率", "Availability";
    availability_to_date: "現時点までの稼働率", "Availability to date";
    availability_lower: "下限", "Lower bound";
    lower_explained: "下限は、未測定時間をすべて停止時間とみなした場合の値です。", "The lower bound is the figure if all unmeasured time had been downtime.";
    verdict: "判定", "Verdict";
    // a revision of a closed month
    difference: "前回の改訂からの変更", "Changes since the revision before";
    terms_changed: "契約条件（目標値、通知期間など）が変更されています。", "The contract's terms (objective, notice and so on) are others.";
    // formula
    calculation: "計算", "Calculation";
    item: "項目", "Item";
    time: "時間", "Time";
    calendar: "暦時間", "Calendar time";
    excluded: "除外時間", "Excluded time";
    excluded_planned: "(i) 事前に通知した計画停止", "(i) planned stops announced in time";
    excluded_upstream: "(ii) 外部プラットフォームに起因する停止", "(ii) caused by an upstream platform";
    excluded_force_majeure: "(iii) 不可抗力など合理的に管理できない事由", "(iii) beyond reasonable control";
    service: "サービス提供時間", "Service time";
    downtime: "停止時間", "Downtime";
    downtime_judged: "うち判定済みの停止", "of it judged";
    downtime_measured: "うち測定のみで未判定の停止", "of it measured, not judged yet";
    downtime_overrun: "うちメンテナンスの超過", "of it overruns of maintenance";
    unmeasured: "未測定時間", "Unmeasured time";
    allowed: "許容停止時間", "Downtime allowed";
    budget: "許容停止時間の残り", "Downtime left";
    // three figures
    figures: "三つの値", "Three figures";
    measured: "測定値", "Measured";
    provisional: "暫定値", "Provisional";
    adjudicated: "判定確定値", "Adjudicated";
    figures_explained: "測定値は監視結果のみ、暫定値は運用台帳の現在の内容をすべて反映した値（本報告書の月間稼働率）、判定確定値は判定が済んだ障害だけを反映した値です。", "Measured: the monitoring alone. Provisional: the whole ledger as it stands, the figure of this report. Adjudicated: of the incidents only those that are decided.";
    // incidents
    incidents: "障害", "Incidents";
    incident: "障害", "Incident";
    occurred: "発生日時", "Occurred";
    converged: "収束日時", "Converged";
    cause: "原因", "Cause";
    ruling: "判定", "Ruling";
    evidence: "根拠", "Evidence";
    first_report: "第一報まで", "First report after";
    notices: "お知らせ", "Notices";
    updates: "経過", "Updates";
    in_month: "当月内の時間", "Within the month";
    counted: "停止時間への算入", "Counted as downtime";
    not_counted: "除外時間への算入", "Excluded";
    unjudged: "未判定の測定停止", "Measured, not judged";
    measured_within: "期間中の測定", "Measured within";
    // maintenance
    maintenance: "計画メンテナンス", "Maintenance";
    announced: "通知日時", "Announced";
    notice: "通知から開始まで", "Notice given";
    planned_time: "予定", "Planned";
    finished: "終了", "Finished";
    kind: "区分", "Kind";
    regular: "定期", "regular";
    emergency: "緊急", "emergency";
    in_slot: "実施時間帯", "Weekly slot";
    limit: "上限", "Limit";
    overrun: "超過", "Overrun";
    exclusion: "除外", "Excluded";
    stop: "停止", "Stop";
    // what is left
    unexplained: "未判定の停止", "Downtime to be judged";
    gaps: "未測定の時間帯", "Unmeasured time";
    span: "期間", "Time";
    about: "関連", "About";
    year: "年間推移", "The year so far";
    month: "月", "Month";
    origin: "出典", "Origin";
    drills: "復元訓練", "Restore drills";
    advisories: "セキュリティ更新", "Security updates";
    advisory: "識別子", "Id";
    component: "対象", "Component";
    published: "公開日", "Published";
    due: "適用期限の目安", "Due";
    applied: "適用日", "Applied";
    decision: "判断", "Decision";
    content: "内容", "What";
    // duties
    duties: "契約上の義務の遵守状況", "Duties of the contract";
    duties_explained: "月間稼働率のほかに契約で約束した事項です。一度でも違反があれば不遵守、違反がなくても十分に測定できていなければ未測定とします。", "What the contract promises besides. One breach and a duty is not kept; without a breach it is kept only where enough was measured.";
    clause: "条項", "Clause";
    duty: "義務", "Duty";
    broken: "違反", "Breaches";
    not_measured: "測定できなかったもの", "Not measured";
    // picture
    picture: "5分ごとの状況", "Five minutes at a time";
    up: "稼働", "up";
    down: "停止", "down";
    missing: "未測定", "unmeasured";
    // little words
    none: "なし", "none";
    yes: "はい", "yes";
    no: "いいえ", "no";
    kept: "適合", "kept";
    not_kept: "不適合", "not kept";
    no_limit: "上限なし", "no limit";
    cancelled: "中止", "Called off";
    not_recorded: "記録なし", "not recorded";
    ongoing: "継続中", "goes on";
    not_yet: "未定", "not yet";
}
