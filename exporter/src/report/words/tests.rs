//! The words of a report: moments, spans and sentences in both languages.

use super::*;
use crate::contract::Text;
use crate::report::sample::{report, seconds, text};

#[test]
fn moments_are_the_contracts_and_say_seconds_where_there_are_some() {
    let report = report();
    let (ja, en) = (Words::new(&report, Lang::Ja), Words::new(&report, Lang::En));
    let at = seconds("2026-10-07T10:02:00");
    assert_eq!((ja.moment(at), en.moment(at)), ("2026/10/07 10:02".to_owned(), "2026-10-07 10:02".to_owned()));
    assert_eq!(en.moment(at + 5), "2026-10-07 10:02:05");
    assert_eq!(ja.stretch(at, Some(at + 1740)), "2026/10/07 10:02 〜 10:31");
    assert_eq!(en.stretch(at, Some(at + 86_400)), "2026-10-07 10:02 – 2026-10-08 10:02");
    assert_eq!(ja.stretch(at, None), "2026/10/07 10:02 〜");
    assert_eq!((ja.month(report.month), en.month(report.month)), ("2026年10月".to_owned(), "October 2026".to_owned()));
}

#[test]
fn where_clocks_change_a_time_says_its_offset() {
    let mut report = report();
    report.contract.timezone = "Europe/Berlin".to_owned();
    report.status.notes.push(Note::ClocksChanged { seconds: 3600 });
    let words = Words::new(&report, Lang::En);
    // The hour that came twice.
    assert_eq!(words.moment(1_792_887_600), "2026-10-25 02:20 +02:00");
    assert_eq!(words.moment(1_792_891_200), "2026-10-25 02:20 +01:00");
    report.contract.timezone = "Nowhere/Else".to_owned();
    assert_eq!(Words::new(&report, Lang::En).moment(0), "1970-01-01 00:00 +00:00");
}

#[test]
fn lengths_are_exact_in_both_languages() {
    let report = report();
    let (ja, en) = (Words::new(&report, Lang::Ja), Words::new(&report, Lang::En));
    for (length, in_ja, in_en) in [
        (0, "0分", "0 min"),
        (30, "30秒", "30 s"),
        (60, "1分", "1 min"),
        (1530, "25分30秒", "25 min 30 s"),
        (2_678_400, "44,640分", "44,640 min"),
        (-216, "-3分36秒", "-3 min 36 s"),
    ] {
        assert_eq!((ja.length(length).as_str(), en.length(length).as_str()), (in_ja, in_en));
    }
    assert_eq!(ja.long(14 * 86_400), "14日");
    assert_eq!(en.long(14 * 86_400 - 1), "13 d 23 h 59 min 59 s");
    assert_eq!(ja.long(0), "0分");
}

#[test]
fn a_contract_is_reported_in_its_own_language_unless_told_otherwise() {
    assert_eq!(natural(&text("サービス品質保証制度", "Service level agreement")), Lang::Ja);
    assert_eq!(natural(&text("契約", "契約")), Lang::Ja);
    assert_eq!(natural(&text("Service level agreement", "Service level agreement")), Lang::En);
    assert_eq!(natural(&Text::default()), Lang::En);
}

#[test]
fn the_week_and_shares_are_written_as_each_language_does() {
    let report = report();
    let (ja, en) = (Words::new(&report, Lang::Ja), Words::new(&report, Lang::En));
    let slot = report.contract.maintenance_slot.as_ref().unwrap();
    assert_eq!((ja.weekly(slot).as_str(), en.weekly(slot).as_str()), ("金 21:00 〜 月 03:00", "Fri 21:00 – Mon 03:00"));
    assert_eq!((ja.promised(0.99).as_str(), en.promised(0.99).as_str()), ("99%以上", "≥ 99 %"));
    assert_eq!((ja.percent(Some("99.787".to_owned())).as_str(), en.percent(None).as_str()), ("99.787%", "–"));
}
