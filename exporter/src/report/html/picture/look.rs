//! How a state looks and what it is called: in the picture, in its legend, and in the table of windows.
//!
//! No state is told by its colour alone: each has a pattern or a lightness of its own, so that a reader who sees no red, and a
//! printer that has none, tell them apart. Down is the darkest. Not for: where a state is drawn.

use maud::{Markup, html};

use super::states::State;
use crate::lang::Lang;
use crate::windows::Reason;

impl State {
    /// Its id in the document: of its pattern, and in class names.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Unmeasured => "unmeasured",
            Self::NotOwed => "not-owed",
            Self::Ahead => "ahead",
            Self::Decided(reason) => match reason {
                Reason::Planned => "planned",
                Reason::Upstream => "upstream",
                Reason::ForceMajeure => "force-majeure",
                Reason::Internal => "internal",
                Reason::Overrun => "overrun",
                Reason::FalseAlarm => "false-alarm",
            },
        }
    }

    /// What it is called.
    #[must_use]
    pub fn name(self, lang: Lang) -> &'static str {
        let (ja, en) = match self {
            Self::Up => ("稼働", "up"),
            Self::Down => ("停止（測定のみ・未判定）", "down as measured, not judged"),
            Self::Unmeasured => ("未測定", "unmeasured"),
            Self::NotOwed => ("契約開始前", "before the contract"),
            Self::Ahead => ("未集計", "not counted yet"),
            Self::Decided(reason) => match reason {
                Reason::Planned => ("除外: 計画停止", "excluded: planned stop"),
                Reason::Upstream => ("除外: 外部プラットフォーム", "excluded: upstream platform"),
                Reason::ForceMajeure => ("除外: 不可抗力", "excluded: force majeure"),
                Reason::Internal => ("停止（判定済み）", "down as judged"),
                Reason::Overrun => ("停止（メンテナンスの超過）", "down: maintenance overrun"),
                Reason::FalseAlarm => ("稼働（誤検知と判定）", "up: judged a false alarm"),
            },
        };
        lang.pick(ja, en)
    }

    /// The paint of its pattern, for `fill` and `stroke`.
    pub(super) fn paint(self) -> String {
        format!("url(#slot-{})", self.id())
    }

    /// Ground colour, and lines over it as a path of a tile of 6 × 6 with colour and width.
    fn pattern(self) -> (&'static str, Option<(&'static str, &'static str, &'static str)>) {
        const RISING: &str = "M-1 1l2-2M0 6l6-6M5 7l2-2";
        const FALLING: &str = "M-1 5l2 2M0 0l6 6M5-1l2 2";
        match self {
            Self::Up => ("#bfe3d0", None),
            Self::Down => ("#d9480f", None),
            Self::Unmeasured => ("#fff", Some((FALLING, "#6b6b6b", "1.1"))),
            Self::NotOwed => ("#f1f1f1", Some(("M3 2.5v1", "#9a9a9a", "1"))),
            Self::Ahead => ("#fafafa", None),
            Self::Decided(reason) => match reason {
                Reason::Planned => ("#a9cdf0", Some((RISING, "#1b5fa8", "1.3"))),
                Reason::Upstream => ("#f1eafb", Some(("M1.5.4v2M4.5 3.4v2", "#43207d", "1.8"))),
                Reason::ForceMajeure => ("#f6e3b4", Some(("M0 3h6M3 0v6", "#8a6100", "1"))),
                Reason::Internal => ("#5c0f0f", None),
                Reason::Overrun => ("#5c0f0f", Some(("M1.5 0v6", "#ffb38a", "1.2"))),
                Reason::FalseAlarm => ("#bfe3d0", Some(("M0 3h6", "#0b6b45", "1.4"))),
            },
        }
    }
}

/// The patterns, once per document.
#[must_use]
pub fn patterns() -> Markup {
    html! {
        svg.patterns width="0" height="0" aria-hidden="true" focusable="false" {
            defs {
                @for state in State::ALL {
                    @let (ground, lines) = state.pattern();
                    pattern id={ "slot-" (state.id()) } width="6" height="6" patternUnits="userSpaceOnUse" {
                        rect width="6" height="6" fill=(ground) {}
                        @if let Some((path, colour, width)) = lines {
                            path d=(path) fill="none" stroke=(colour) stroke-width=(width) {}
                        }
                    }
                }
            }
        }
    }
}

/// A patch of the state's pattern.
#[must_use]
pub fn swatch(state: State) -> Markup {
    html! {
        svg.swatch width="22" height="12" viewBox="0 0 22 12" aria-hidden="true" focusable="false" {
            rect width="22" height="12" fill=(state.paint()) {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Lightness as a grey printer has it, 0 to 1.
    fn lightness(colour: &str) -> f64 {
        let digits = colour.trim_start_matches('#');
        let digits = if digits.len() == 3 { digits.chars().flat_map(|c| [c, c]).collect() } else { digits.to_owned() };
        let part = |at: usize| f64::from(u8::from_str_radix(&digits[at..at + 2], 16).unwrap()) / 255.0;
        0.299 * part(0) + 0.587 * part(2) + 0.114 * part(4)
    }

    #[test]
    fn no_two_states_look_or_read_alike_even_in_grey() {
        for (one, other) in State::ALL.iter().flat_map(|one| State::ALL.iter().map(move |other| (one, other))) {
            if one == other {
                continue;
            }
            let (a, b) = (one.pattern(), other.pattern());
            let same_lines = a.1.map(|lines| lines.0) == b.1.map(|lines| lines.0);
            // Not counted yet is told by its place, which is the end.
            let needs_lightness = same_lines && *one != State::Ahead && *other != State::Ahead;
            let apart = (lightness(a.0) - lightness(b.0)).abs();
            assert!(!needs_lightness || apart > 0.2, "{one:?} {other:?}: {apart}");
        }
        for lang in Lang::ALL {
            let names: BTreeSet<_> = State::ALL.iter().map(|state| state.name(lang)).collect();
            assert_eq!(names.len(), State::ALL.len());
        }
    }

    #[test]
    fn down_is_darker_than_anything_that_is_not() {
        let is_down = |state: &State| matches!(state, State::Down | State::Decided(Reason::Internal | Reason::Overrun));
        let darkest_other = State::ALL.iter().filter(|state| !is_down(state)).map(|state| lightness(state.pattern().0));
        let darkest_other = darkest_other.fold(1.0, f64::min);
        assert!(
            State::ALL
                .iter()
                .filter(|state| is_down(state))
                .all(|state| lightness(state.pattern().0) < darkest_other - 0.2)
        );
    }
}
