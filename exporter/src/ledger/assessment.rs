//! What the contract's terms make of one maintenance (C2.3, C4.1i): notice, slot, limit, and whether it is excluded.

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

use super::Maintenance;
use crate::calendar::first_moment;
use crate::contract::{Contract, Function, WeekSlot};
use crate::span::Span;

/// Whether a maintenance is taken out of the service time (C4.1i).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exclusion {
    /// Announced in time: excluded.
    Excluded,
    /// Called off: there was no stop.
    Cancelled,
    /// Never announced: measurement decides.
    NotAnnounced,
    /// Announced later than the contract asks: measurement decides. The notice given, in seconds.
    ShortNotice(i64),
}

/// One maintenance against the contract's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// Seconds from the announcement to the start; absent: not announced.
    pub notice: Option<i64>,
    /// Whether that is enough (C2.3, C4.1i). Elapsed seconds, also over a change of clocks.
    pub notice_kept: bool,
    /// Whether it lies in the weekly slot from begin to announced end (C2.3); true where the contract has no slot.
    pub slot_kept: bool,
    /// What becomes of it.
    pub exclusion: Exclusion,
}

impl Assessment {
    /// `maintenance` under the terms of `contract`.
    #[must_use]
    pub fn of(maintenance: &Maintenance, contract: &Contract) -> Self {
        let required = i64::try_from(contract.maintenance.notice.as_secs()).unwrap_or(i64::MAX);
        let notice = maintenance.announced_at.map(|at| maintenance.start.as_second() - at.as_second());
        let notice_kept = notice.is_some_and(|notice| notice >= required);
        let slot_kept = contract
            .maintenance
            .slot
            .is_none_or(|slot| maintenance.announced().is_some_and(|stop| contains(slot, stop, &contract.timezone)));
        let exclusion = match notice {
            _ if maintenance.cancelled_at.is_some() => Exclusion::Cancelled,
            None => Exclusion::NotAnnounced,
            Some(notice) if notice < required => Exclusion::ShortNotice(notice),
            Some(_) => Exclusion::Excluded,
        };
        Self { notice, notice_kept, slot_kept, exclusion }
    }

    /// How long the stop of `maintenance` is, in seconds: as it was where that is recorded, else as announced.
    #[must_use]
    pub fn stop_seconds(maintenance: &Maintenance) -> i64 {
        maintenance.finished_at.unwrap_or(maintenance.end).as_second() - maintenance.start.as_second()
    }

    /// Whether the stop keeps the function's limit (C2.3); true where it has none.
    #[must_use]
    pub fn limit_kept(maintenance: &Maintenance, function: &Function) -> bool {
        function.maintenance_limit.is_none_or(|limit| {
            i64::try_from(limit.as_secs()).is_ok_and(|limit| Self::stop_seconds(maintenance) <= limit)
                || limit.as_secs() > i64::MAX as u64
        })
    }
}

/// Whether `stop` lies within one occurrence of the weekly `slot`.
fn contains(slot: WeekSlot, stop: Span, zone: &TimeZone) -> bool {
    // The occurrence that began last, by the clock on the wall; another one may have begun in the hour set back.
    let Ok(start) = Timestamp::from_second(stop.start()) else { return false };
    let today = zone.to_datetime(start).date();
    (0..=7).any(|back: i64| {
        let Ok(day) = today.checked_sub(jiff::Span::new().days(back)) else { return false };
        day.weekday() == slot.from.0 && occurrence(slot, day, zone).is_some_and(|slot| stop.clip(slot) == Some(stop))
    })
}

/// The slot that begins on `day`.
fn occurrence(slot: WeekSlot, day: jiff::civil::Date, zone: &TimeZone) -> Option<Span> {
    let days = i64::from(days_until(slot.from.0, slot.to.0));
    // Within one day, the end is later that day or a week later.
    let days = if days == 0 && slot.to.1 <= slot.from.1 { 7 } else { days };
    let last = day.checked_add(jiff::Span::new().days(days)).ok()?;
    let moment = |date: jiff::civil::Date, time| first_moment(date.to_datetime(time), zone);
    Span::new(moment(day, slot.from.1)?, moment(last, slot.to.1)?)
}

/// 0 to 6.
fn days_until(from: Weekday, to: Weekday) -> i8 {
    (to.to_monday_zero_offset() - from.to_monday_zero_offset()).rem_euclid(7)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::civil::Time;

    use super::*;
    use crate::contract::{MaintenanceTerms, Text};

    const DAY: i64 = 86_400;

    fn contract(zone: &str) -> Contract {
        Contract {
            name: "c".to_owned(),
            title: Text::default(),
            timezone: TimeZone::get(zone).unwrap(),
            timezone_name: zone.to_owned(),
            start: None,
            maintenance: MaintenanceTerms {
                notice: Duration::from_secs(14 * 86_400),
                slot: Some(WeekSlot {
                    from: (Weekday::Friday, Time::constant(21, 0, 0, 0)),
                    to: (Weekday::Monday, Time::constant(3, 0, 0, 0)),
                }),
            },
            functions: Vec::new(),
            upstreams: Vec::new(),
            connectivity: Vec::new(),
            duties: Vec::new(),
        }
    }

    fn stop(start: &str, end: &str) -> Maintenance {
        Maintenance {
            id: "m".to_owned(),
            title: Text::default(),
            text: Text::default(),
            functions: Vec::new(),
            announced_at: None,
            start: start.parse().unwrap(),
            end: end.parse().unwrap(),
            finished_at: None,
            emergency: false,
            cancelled_at: None,
            notices: Vec::new(),
        }
    }

    fn announced(ahead: i64) -> Maintenance {
        let stop = stop("2026-11-20T21:00:00+09:00", "2026-11-21T01:00:00+09:00");
        let at = Timestamp::from_second(stop.start.as_second() - ahead).unwrap();
        Maintenance { announced_at: Some(at), ..stop }
    }

    #[test]
    fn exactly_the_notice_is_enough_and_a_second_less_is_not() {
        let contract = contract("Asia/Tokyo");
        for (ahead, exclusion) in [
            (14 * DAY + 1, Exclusion::Excluded),
            (14 * DAY, Exclusion::Excluded),
            (14 * DAY - 1, Exclusion::ShortNotice(14 * DAY - 1)),
            (0, Exclusion::ShortNotice(0)),
        ] {
            let assessment = Assessment::of(&announced(ahead), &contract);
            assert_eq!(assessment.exclusion, exclusion);
            assert_eq!(assessment.notice, Some(ahead));
            assert_eq!(assessment.notice_kept, exclusion == Exclusion::Excluded);
        }
        let silent = stop("2026-11-20T21:00:00+09:00", "2026-11-21T01:00:00+09:00");
        assert_eq!(Assessment::of(&silent, &contract).exclusion, Exclusion::NotAnnounced);
    }

    #[test]
    fn an_emergency_may_be_announced_late_and_is_counted_all_the_same() {
        let emergency = Maintenance { emergency: true, ..announced(3600) };
        assert_eq!(Assessment::of(&emergency, &contract("Asia/Tokyo")).exclusion, Exclusion::ShortNotice(3600));
    }

    #[test]
    fn what_was_called_off_is_no_stop() {
        let off = Maintenance { cancelled_at: Some("2026-11-10T00:00:00Z".parse().unwrap()), ..announced(20 * DAY) };
        assert_eq!(Assessment::of(&off, &contract("Asia/Tokyo")).exclusion, Exclusion::Cancelled);
    }

    #[test]
    fn fourteen_days_are_elapsed_time_over_a_change_of_clocks() {
        // 14 calendar days that had an hour less.
        let short = Maintenance {
            announced_at: Some("2026-03-20T22:00:00+01:00".parse().unwrap()),
            ..stop("2026-04-03T22:00:00+02:00", "2026-04-03T23:00:00+02:00")
        };
        let assessment = Assessment::of(&short, &contract("Europe/Berlin"));
        assert_eq!(assessment.exclusion, Exclusion::ShortNotice(14 * DAY - 3600));
    }

    #[test]
    fn the_slot_is_the_weekends_to_the_second() {
        for (zone, start, end, kept) in [
            ("Asia/Tokyo", "2026-11-20T21:00:00+09:00", "2026-11-23T03:00:00+09:00", true),
            ("Asia/Tokyo", "2026-11-20T20:59:59+09:00", "2026-11-21T03:00:00+09:00", false),
            ("Asia/Tokyo", "2026-11-22T21:00:00+09:00", "2026-11-23T03:00:01+09:00", false),
            ("Asia/Tokyo", "2026-11-24T21:00:00+09:00", "2026-11-25T03:00:00+09:00", false),
            // Longer than a slot, from one into the next.
            ("Asia/Tokyo", "2026-11-21T00:00:00+09:00", "2026-11-28T00:00:00+09:00", false),
            // Clocks change within the slot.
            ("Europe/Berlin", "2026-03-27T21:00:00+01:00", "2026-03-30T03:00:00+02:00", true),
            ("Europe/Berlin", "2026-10-23T21:00:00+02:00", "2026-10-26T03:00:01+01:00", false),
        ] {
            let assessment = Assessment::of(&stop(start, end), &contract(zone));
            assert_eq!(assessment.slot_kept, kept, "{start} to {end}");
        }
    }

    #[test]
    fn a_slot_may_lie_within_a_day_or_take_a_week() {
        let time = |hour| Time::constant(hour, 0, 0, 0);
        let zone = TimeZone::UTC;
        let inside = |slot, start: &str, end: &str| contains(slot, stop(start, end).announced().unwrap(), &zone);
        // 2026-11-22 is a Sunday.
        let morning = WeekSlot { from: (Weekday::Sunday, time(2)), to: (Weekday::Sunday, time(5)) };
        assert!(inside(morning, "2026-11-22T02:00:00Z", "2026-11-22T05:00:00Z"));
        assert!(!inside(morning, "2026-11-22T02:00:00Z", "2026-11-22T05:00:01Z"));
        let all_but_morning = WeekSlot { from: (Weekday::Sunday, time(5)), to: (Weekday::Sunday, time(2)) };
        assert!(inside(all_but_morning, "2026-11-22T05:00:00Z", "2026-11-29T02:00:00Z"));
        assert!(inside(all_but_morning, "2026-11-29T01:00:00Z", "2026-11-29T02:00:00Z"));
        assert!(!inside(all_but_morning, "2026-11-29T01:00:00Z", "2026-11-29T02:00:01Z"));
    }

    #[test]
    fn the_limit_is_held_against_the_stop_as_it_was() {
        let function = |limit: Option<u64>| Function {
            name: "f".to_owned(),
            title: Text::default(),
            objective: 0.99,
            maintenance_limit: limit.map(Duration::from_secs),
            capabilities: Vec::new(),
        };
        let four_hours = announced(0);
        assert!(Assessment::limit_kept(&four_hours, &function(Some(4 * 3600))));
        assert!(!Assessment::limit_kept(&four_hours, &function(Some(4 * 3600 - 1))));
        assert!(Assessment::limit_kept(&four_hours, &function(None)));
        assert!(Assessment::limit_kept(&four_hours, &function(Some(u64::MAX))));
        let longer = Maintenance { finished_at: Some("2026-11-21T01:00:01+09:00".parse().unwrap()), ..four_hours };
        assert!(!Assessment::limit_kept(&longer, &function(Some(4 * 3600))));
    }
}
