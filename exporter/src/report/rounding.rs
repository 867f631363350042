//! Printed figures that hide nothing: shares are cut, never rounded up, with as many digits as the objective needs, and
//! lengths are exact.
//!
//! So 100 % is printed only without a second of downtime, and a share that missed its objective is printed below it, one
//! that met it never. Pure arithmetic on whole seconds. Not for: words around the numbers (`words`).

use super::model::Figures;

/// Decimals of a percentage, at least.
const LEAST_DIGITS: u32 = 3;
/// And at most: as many as an objective can have, see [`allowed`](super::figures::allowed).
const MOST_DIGITS: u32 = 7;

/// `(service − downtime) ÷ service` in percent without the sign, such as `99.787`. Three decimals, cut; more where the same
/// number would stand for a share on the other side of `objective`.
#[must_use]
pub fn percent(service: i64, downtime: i64, objective: f64) -> Option<String> {
    if service <= 0 {
        return None;
    }
    let (service, up) = (i128::from(service), i128::from(service - downtime.clamp(0, service)));
    let promised = scaled(objective);
    // Of a share that met it, the digits must say so; one that missed it is below whatever the digits.
    let met = up * full() >= promised * service;
    let digits = (LEAST_DIGITS..MOST_DIGITS)
        .find(|digits| {
            let unit = 10i128.pow(MOST_DIGITS - digits);
            let shown = up * full() / service / unit * unit;
            !met || shown >= promised
        })
        .unwrap_or(MOST_DIGITS);
    Some(decimal(up * full() / service, digits))
}

/// The availability of the whole month; `None` where there is none.
#[must_use]
pub fn availability(figures: &Figures, objective: f64) -> Option<String> {
    figures.availability?;
    percent(figures.service_seconds, figures.downtime_seconds, objective)
}

/// Its lower bound.
#[must_use]
pub fn availability_lower(figures: &Figures, objective: f64) -> Option<String> {
    figures.availability_lower?;
    percent(figures.service_seconds, figures.downtime_seconds + figures.unmeasured_seconds, objective)
}

/// The availability if the month ended now.
#[must_use]
pub fn availability_to_date(figures: &Figures, objective: f64) -> Option<String> {
    figures.availability_to_date?;
    percent(figures.elapsed_service_seconds, figures.downtime_seconds, objective)
}

/// The objective in percent without the sign, with the decimals it has: `99`, `99.95`.
#[must_use]
pub fn objective(objective: f64) -> String {
    let text = decimal(scaled(objective), MOST_DIGITS);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Whole minutes and the seconds left over, both with the sign of `seconds`.
#[must_use]
pub fn minutes(seconds: i64) -> (i64, i64) {
    (seconds / 60, seconds % 60)
}

/// Digits in groups of three: `44,640`.
#[must_use]
pub fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = if number < 0 { "-".to_owned() } else { String::new() };
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// 100 % in units of the last digit.
fn full() -> i128 {
    100 * 10i128.pow(MOST_DIGITS)
}

#[allow(clippy::cast_possible_truncation)] // 0 to 1, as the configuration is checked
fn scaled(share: f64) -> i128 {
    (share.clamp(0.0, 1.0) * full() as f64).round() as i128
}

/// `value`, in units of the last possible digit, cut after `digits`.
fn decimal(value: i128, digits: u32) -> String {
    let one = 10i128.pow(MOST_DIGITS);
    let fraction = value % one / 10i128.pow(MOST_DIGITS - digits);
    format!("{}.{fraction:0width$}", value / one, width = digits as usize)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::figures::allowed;

    #[track_caller]
    fn check(service: i64, downtime: i64, objective: f64, expected: &str) {
        assert_eq!(percent(service, downtime, objective).unwrap(), expected, "{downtime} of {service}");
    }

    #[test]
    fn a_share_is_cut_and_says_which_side_of_the_objective_it_is_on() {
        const OCTOBER: i64 = 31 * 86_400;
        check(OCTOBER, 0, 0.99, "100.000");
        check(OCTOBER, 1, 0.99, "99.999");
        check(OCTOBER, 26_784, 0.99, "99.000");
        check(OCTOBER, 26_785, 0.99, "98.999");
        check(OCTOBER, OCTOBER, 0.99, "0.000");
        check(OCTOBER, OCTOBER + 300, 0.99, "0.000");
        // Cut after three decimals, these would be on the other side.
        check(OCTOBER, 13, 0.999_995, "99.9995");
        check(OCTOBER, 14, 0.999_995, "99.999");
        check(10_000_000, 1, 0.999_999_9, "99.99999");
        check(OCTOBER, 0, 1.0, "100.000");
        check(OCTOBER, 1, 1.0, "99.999");
        assert_eq!(percent(0, 0, 0.99), None);
    }

    #[test]
    fn an_objective_has_the_decimals_it_has() {
        for (value, text) in [(0.99, "99"), (0.9995, "99.95"), (1.0, "100"), (0.999_999, "99.9999"), (0.005, "0.5")] {
            assert_eq!(objective(value), text);
        }
    }

    #[test]
    fn lengths_are_exact() {
        assert_eq!([0, 59, 60, 3630, -90].map(minutes), [(0, 0), (0, 59), (1, 0), (60, 30), (-1, -30)]);
        assert_eq!([0, 999, 1000, 44_640, -1_234_567].map(grouped), ["0", "999", "1,000", "44,640", "-1,234,567"]);
    }

    proptest! {
        #[test]
        fn no_digit_hides_downtime_or_a_breach(
            service in 1i64..3_000_000,
            downtime in 0i64..200_000,
            objective in prop::sample::select(vec![0.9, 0.99, 0.995, 0.999, 0.9999, 0.99999, 0.999_995, 0.999_999_9, 1.0]),
        ) {
            let downtime = downtime.min(service);
            let text = percent(service, downtime, objective).unwrap();
            let shown: f64 = text.parse().unwrap();
            prop_assert_eq!(shown >= 100.0, downtime == 0, "{}", text);
            let met = downtime <= allowed(service, objective);
            // Decimals of both to the same length, compared as numbers without a fraction.
            let units = |text: &str| {
                let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
                format!("{whole}{fraction:0<7}").parse::<i64>().unwrap()
            };
            prop_assert_eq!(units(&text) >= units(&super::objective(objective)), met, "{} {}", text, downtime);
            // And it is true to the digits it has.
            let true_share = (service - downtime) as f64 / service as f64 * 100.0;
            prop_assert!(shown <= true_share + 1e-7 && true_share - shown < 0.001 + 1e-7, "{} {}", text, true_share);
        }
    }
}
