//! The words of the report and how its figures come about, each with the clause it rests on.
//!
//! Not for: the full text of the contract.

use maud::{Markup, html};

use super::Page;

/// Term, clause, meaning: Japanese, then English.
type Term = (&'static str, &'static str, &'static str);

const JA: &[Term] = &[
    (
        "5分ごとの測定",
        "C2.1",
        "監視は1年を通じて5分以内の間隔で行い、5分を1枠として機能ごとに稼働・停止を記録します。機能を構成する要素のひとつでも停止していれば、その枠は停止です。",
    ),
    (
        "未測定時間",
        "C2.1",
        "監視が行えず、稼働とも停止とも言えない時間です。停止時間に含めません。すべて停止だったとした場合の月間稼働率を下限として併記します。",
    ),
    (
        "サービス提供時間",
        "C4.1f",
        "当月の日数 × 24 × 60 − 除外時間[分]。月の始まりと終わりは契約のタイムゾーンによります。",
    ),
    ("月間稼働率", "C4.1f", "(サービス提供時間 − 停止時間) ÷ サービス提供時間 × 100[%]。"),
    (
        "除外時間",
        "C4.1i–iii",
        "(i) 必要な期日までに通知した計画停止、(ii) 外部プラットフォームに起因する停止、(iii) 合理的に管理できない事由による停止。同じ時間が複数に当たるときは (i)、(ii)、(iii) の順に一度だけ数えます。",
    ),
    (
        "停止時間",
        "C4.1.2",
        "停止と判定された障害は、発生時刻から収束時刻までを秒単位で数えます。判定のない時間は、停止と測定された枠を1枠5分として数えます。",
    ),
    (
        "計画停止の通知",
        "C2.3、C4.1i",
        "通知から開始までが必要な期間に満たない計画停止は、緊急のものも含めて除外しません。測定された停止がそのまま停止時間になります。",
    ),
    ("超過", "C4.1.2", "通知した終了時刻を過ぎて続いた停止は、超過した分を停止時間に数えます。"),
    (
        "判定",
        "C4.1.2",
        "障害の原因と時刻を誰が、いつ、何に基づいて決めたかの記録です。判定は後日になることがあり、その場合は過去の月の値も変わります。",
    ),
    (
        "確定と暫定",
        "C4.1.2",
        "対象月が終了し、収束していない障害、判定が済んでいない障害、未判定の停止がいずれもないとき確定とし、それまでは暫定です。",
    ),
    (
        "三つの値",
        "C4.1.2",
        "測定値は監視の結果だけ、暫定値は運用台帳のすべて、判定確定値は判定が済んだ障害だけを反映した月間稼働率です。本報告書の結果は暫定値によります。",
    ),
    ("第一報", "C2.2", "障害の発生から、最初にお客様へお知らせするまでの時間です。"),
];

const EN: &[Term] = &[
    (
        "Measuring",
        "C2.1",
        "All year round, at most five minutes apart. Each five minutes are a slot, which is up or down for a function; if one of the parts a function needs is down, the slot is down.",
    ),
    (
        "Unmeasured time",
        "C2.1",
        "Nobody knows whether the function was up. It is no downtime; the lower bound is the availability if all of it had been.",
    ),
    (
        "Service time",
        "C4.1f",
        "Days of the month × 24 × 60 − excluded time, in minutes. Months begin and end by the contract's time zone.",
    ),
    ("Monthly availability", "C4.1f", "(service time − downtime) ÷ service time × 100, in percent."),
    (
        "Excluded time",
        "C4.1i–iii",
        "(i) Planned stops announced in time, (ii) stops caused by an upstream platform, (iii) causes beyond reasonable control. Time to which several apply is excluded once, in this order.",
    ),
    (
        "Downtime",
        "C4.1.2",
        "A failure judged as downtime counts from when it occurred to when it converged, to the second. Where nothing is judged, each slot measured as down counts five minutes.",
    ),
    (
        "Notice of a planned stop",
        "C2.3, C4.1i",
        "A stop announced later than required is not excluded, emergencies included: what was measured as down is downtime.",
    ),
    ("Overrun", "C4.1.2", "A stop that goes on after its announced end is downtime from that end on."),
    (
        "Ruling",
        "C4.1.2",
        "Who decided on the cause and the times of an incident, when, and on what. It may come later, and then changes the figure of a month that has passed.",
    ),
    (
        "Final and provisional",
        "C4.1.2",
        "Final once the month is over and no incident is open, none is undecided, and no measured downtime waits for a judgement; provisional until then.",
    ),
    (
        "Three figures",
        "C4.1.2",
        "The availability by the monitoring alone (measured), by the whole ledger (provisional), and by those incidents only that are decided (adjudicated). The result of this report is the provisional one.",
    ),
    ("First report", "C2.2", "From when an incident occurred to when customers were first told."),
];

pub(super) fn section(page: &Page<'_>) -> Markup {
    html! {
        section.terms aria-labelledby="terms" {
            h2 id="terms" { (page.say("用語と算出方法", "Terms and method")) }
            p.small {
                (page.say(
                    "C で始まる符号は契約の条項を表します（例: C4.1f は月間稼働率の計算式）。",
                    "Codes that begin with C are clauses of the contract: C4.1f, for example, is the formula.",
                ))
            }
            dl {
                @for (term, clause, meaning) in page.say(JA, EN) {
                    div { dt { (term) " " span.clause { (clause) } } dd { (meaning) } }
                }
            }
        }
    }
}
