//! Japan's public holidays, computed from the Public Holiday Act (国民の祝日に関する法律, Act No. 178 of 1948) and its changes.
//!
//! Held by tests to the list the Cabinet Office publishes. The equinoxes are announced each February for the year after;
//! the formula has given them right for all years announced so far, and what it says of later years is expectation, as
//! is that the law stays as it is. Valid from 1949 to 2150; before and after there are none.

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday, date};

/// Years whose holidays are known.
pub const YEARS: std::ops::RangeInclusive<i16> = 1949..=2150;

/// Whether `day` is a public holiday (祝日) or a day off by law because of one (休日).
#[must_use]
pub fn is_holiday(day: Date) -> bool {
    is_named(day) || is_substitute(day) || is_between(day)
}

/// A day that the law names.
fn is_named(day: Date) -> bool {
    let (year, month, number) = (day.year(), day.month(), day.day());
    if !YEARS.contains(&year) {
        return false;
    }
    // The same date each year.
    let fixed = |m: i8, d: i8, years: std::ops::RangeInclusive<i16>| month == m && number == d && years.contains(&year);
    // The nth Monday of a month, but for the years of the Tokyo games, whose laws moved it.
    let monday = |m: i8, nth: i8, first: i16| {
        month == m && year >= first && day.weekday() == Weekday::Monday && (number - 1) / 7 + 1 == nth
    };
    let games = matches!(year, 2020 | 2021);
    fixed(1, 1, 1949..=2150)                                        // 元日
        || fixed(1, 15, 1949..=1999) || monday(1, 2, 2000)          // 成人の日
        || fixed(2, 11, 1967..=2150)                                // 建国記念の日
        || fixed(2, 23, 2020..=2150)                                // 天皇誕生日
        || fixed(12, 23, 1989..=2018)
        || (month == 3 && number == spring(year))                   // 春分の日
        || fixed(4, 29, 1949..=2150)                                // 天皇誕生日, みどりの日, 昭和の日
        || fixed(5, 3, 1949..=2150)                                 // 憲法記念日
        || fixed(5, 4, 2007..=2150)                                 // みどりの日
        || fixed(5, 5, 1949..=2150)                                 // こどもの日
        || fixed(7, 20, 1996..=2002) || (monday(7, 3, 2003) && !games) // 海の日
        || (fixed(8, 11, 2016..=2150) && !games)                    // 山の日
        || fixed(9, 15, 1966..=2002) || monday(9, 3, 2003)          // 敬老の日
        || (month == 9 && number == autumn(year))                   // 秋分の日
        || fixed(10, 10, 1966..=1999) || (monday(10, 2, 2000) && !games) // 体育の日, スポーツの日
        || fixed(11, 3, 1949..=2150)                                // 文化の日
        || fixed(11, 23, 1949..=2150)                               // 勤労感謝の日
        || ONCE.contains(&(year, month, number))
}

/// Days of laws of their own: ceremonies of the imperial house, and holidays moved for the Tokyo games.
const ONCE: [(i16, i8, i8); 12] = [
    (1959, 4, 10),
    (1989, 2, 24),
    (1990, 11, 12),
    (1993, 6, 9),
    (2019, 5, 1),
    (2019, 10, 22),
    (2020, 7, 23),
    (2020, 7, 24),
    (2020, 8, 10),
    (2021, 7, 22),
    (2021, 7, 23),
    (2021, 8, 8),
];

/// When substitute holidays began.
const SUBSTITUTES: Date = date(1973, 4, 12);
/// From here on the substitute is the next day that is no holiday, not just the Monday.
const SUBSTITUTES_MOVE_ON: Date = date(2007, 1, 1);
/// When the day between two holidays became one.
const BETWEEN: Date = date(1985, 12, 27);

/// 振替休日: for a holiday on a Sunday.
fn is_substitute(day: Date) -> bool {
    if day < SUBSTITUTES || is_named(day) {
        return false;
    }
    if day < SUBSTITUTES_MOVE_ON {
        return day.weekday() == Weekday::Monday && before(day).is_some_and(is_named);
    }
    // Back over the holidays in a row in front of it: is there a Sunday among them?
    let mut earlier = before(day);
    while let Some(holiday) = earlier.filter(|day| is_named(*day)) {
        if holiday.weekday() == Weekday::Sunday {
            return true;
        }
        earlier = before(holiday);
    }
    false
}

/// 国民の休日: between two holidays.
fn is_between(day: Date) -> bool {
    let neighbours = || before(day).is_some_and(is_named) && day.checked_add(1.day()).is_ok_and(is_named);
    // Before 2007 not on a Sunday; since then a Sunday between two holidays cannot matter: offices are closed.
    let sunday = day < SUBSTITUTES_MOVE_ON && day.weekday() == Weekday::Sunday;
    day >= BETWEEN && !sunday && !is_named(day) && neighbours()
}

fn before(day: Date) -> Option<Date> {
    day.checked_sub(1.day()).ok()
}

/// The day of March of the vernal equinox, in Japan's time.
fn spring(year: i16) -> i8 {
    equinox(year, [208_357, 208_431, 218_510])
}

/// The day of September of the autumnal equinox.
fn autumn(year: i16) -> i8 {
    equinox(year, [232_588, 232_488, 242_488])
}

/// The formula of the hydrographic office's 新こよみ便利帳, in ten thousandths and with whole numbers (it cuts off towards zero, also below it): `base` for the years to
/// 1979, to 2099, and to 2150.
fn equinox(year: i16, base: [i32; 3]) -> i8 {
    let years = i32::from(year) - 1980;
    let (base, leaps) = match year {
        ..=1979 => (base[0], (i32::from(year) - 1983) / 4),
        1980..=2099 => (base[1], years.div_euclid(4)),
        _ => (base[2], years.div_euclid(4)),
    };
    // 0.242194 days a year, kept to a millionth.
    let millionths = i64::from(base) * 100 + i64::from(years) * 242_194;
    i8::try_from(millionths.div_euclid(1_000_000) - i64::from(leaps)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The list the Cabinet Office publishes (内閣府「国民の祝日」について, syukujitsu.csv), 1955 to 2027.
    const OFFICIAL: &str = include_str!("data/japan-official.txt");
    /// 2028 to 2099 as another program calculates them (python-holidays 0.109), which agrees with the official list.
    const LATER: &str = include_str!("data/japan-later.txt");

    fn listed(text: &str) -> BTreeSet<Date> {
        let mut days = BTreeSet::new();
        for line in text.lines() {
            let mut words = line.split(' ');
            let year: i16 = words.next().unwrap().parse().unwrap();
            days.extend(words.map(|day| date(year, day[..2].parse().unwrap(), day[2..].parse().unwrap())));
        }
        days
    }

    fn computed(first: i16, last: i16) -> BTreeSet<Date> {
        date(first, 1, 1).series(1.day()).take_while(|day| day.year() <= last).filter(|day| is_holiday(*day)).collect()
    }

    #[test]
    fn every_day_since_1955_is_as_the_cabinet_office_lists_it() {
        let listed = listed(OFFICIAL);
        assert_eq!(
            (listed.len(), listed.first(), listed.last()),
            (1067, Some(&date(1955, 1, 1)), Some(&date(2027, 11, 23)))
        );
        let computed = computed(1955, 2027);
        let differ: Vec<_> = listed.symmetric_difference(&computed).collect();
        assert!(differ.is_empty(), "{differ:?}");
    }

    #[test]
    fn the_years_to_come_are_as_another_program_has_them() {
        let (listed, computed) = (listed(LATER), computed(2028, 2099));
        let differ: Vec<_> = listed.symmetric_difference(&computed).collect();
        assert!(differ.is_empty(), "{differ:?}");
    }

    #[test]
    fn the_odd_ones() {
        for (year, month, day, expected, why) in [
            (1973, 4, 30, true, "the first substitute"),
            (1973, 2, 12, false, "a Monday after a Sunday's holiday, before there were substitutes"),
            (1986, 5, 4, false, "between two holidays, but a Sunday"),
            (1988, 5, 4, true, "the first day between two holidays"),
            (2008, 5, 6, true, "a substitute that moved on over two holidays"),
            (2009, 9, 22, true, "between the aged and the equinox"),
            (2019, 4, 30, true, "between the old emperor's last holiday and the new one's first"),
            (2019, 5, 2, true, "the same on the other side"),
            (2019, 12, 23, false, "no longer the emperor's birthday"),
            (2020, 10, 12, false, "moved to the games"),
            (2021, 8, 9, true, "a substitute for a moved one"),
            (2032, 9, 21, true, "between, years ahead"),
            (1948, 11, 3, false, "before the years that are known"),
            (2151, 1, 1, false, "after them"),
        ] {
            assert_eq!(is_holiday(date(year, month, day)), expected, "{year}-{month}-{day}: {why}");
        }
    }
}
