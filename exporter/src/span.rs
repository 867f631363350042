//! Stretches of time in whole seconds, and sets of them: exact unions, differences and lengths.
//!
//! All of the contract's arithmetic rests on this. Half-open: a span has its start and not its end, so that spans that
//! meet share no second and lose none. Pure. Not for: calendars (`calendar`), what a span means (`windows`).

/// `[start, end)`, in seconds since the epoch; never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    start: i64,
    end: i64,
}

impl Span {
    /// The span, where `start` is before `end`.
    #[must_use]
    pub fn new(start: i64, end: i64) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// The second that begins at `start`; the last one there is, where none follows.
    #[must_use]
    pub fn second(start: i64) -> Self {
        let start = start.min(i64::MAX - 1);
        Self { start, end: start + 1 }
    }

    /// First second inside.
    #[must_use]
    pub fn start(self) -> i64 {
        self.start
    }

    /// First second outside.
    #[must_use]
    pub fn end(self) -> i64 {
        self.end
    }

    /// Length in seconds, at least 1.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.end.saturating_sub(self.start)
    }

    /// The part both have.
    #[must_use]
    pub fn clip(self, to: Self) -> Option<Self> {
        Self::new(self.start.max(to.start), self.end.min(to.end))
    }

    /// Whether both have a second in common.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.clip(other).is_some()
    }

    /// Whether a slot with this timestamp lies inside: a slot speaks for the time before it, so the start is outside and
    /// the end inside.
    #[must_use]
    pub fn holds_slot(self, timestamp: i64) -> bool {
        self.start < timestamp && timestamp <= self.end
    }
}

/// A set of seconds: spans in order that neither overlap nor touch.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Spans(Vec<Span>);

impl FromIterator<Span> for Spans {
    /// The union, whatever the order and the overlaps.
    fn from_iter<I: IntoIterator<Item = Span>>(spans: I) -> Self {
        let mut sorted: Vec<Span> = spans.into_iter().collect();
        sorted.sort_unstable();
        let mut union: Vec<Span> = Vec::with_capacity(sorted.len());
        for span in sorted {
            match union.last_mut() {
                Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
                _ => union.push(span),
            }
        }
        Self(union)
    }
}

impl Spans {
    /// Its spans, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[Span] {
        &self.0
    }

    /// Whether it has no second.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Length in seconds.
    #[must_use]
    pub fn seconds(&self) -> i64 {
        self.0.iter().map(|span| span.seconds()).sum()
    }

    /// The seconds of either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.0.iter().chain(&other.0).copied().collect()
    }

    /// The seconds of this one that `other` has not.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let mut rest = Vec::new();
        let mut others = other.0.iter().copied().peekable();
        for &span in &self.0 {
            let mut start = span.start;
            while others.next_if(|cut| cut.end <= start).is_some() {}
            // A cut that reaches beyond this span may reach into the next: it is not consumed.
            while let Some(cut) = others.peek().copied().filter(|cut| cut.start < span.end) {
                rest.extend(Span::new(start, cut.start));
                start = start.max(cut.end);
                if cut.end > span.end {
                    break;
                }
                others.next();
            }
            rest.extend(Span::new(start, span.end));
        }
        Self(rest)
    }

    /// The seconds inside `span`.
    #[must_use]
    pub fn clip(&self, span: Span) -> Self {
        Self(self.0.iter().filter_map(|own| own.clip(span)).collect())
    }

    /// Whether a slot with this timestamp lies inside one of the spans.
    #[must_use]
    pub fn holds_slot(&self, timestamp: i64) -> bool {
        let after = self.0.partition_point(|span| span.end < timestamp);
        self.0.get(after).is_some_and(|span| span.holds_slot(timestamp))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn spans() -> impl Strategy<Value = Vec<Span>> {
        proptest::collection::vec((0i64..60, 1i64..15), 0..12)
            .prop_map(|list| list.into_iter().filter_map(|(start, length)| Span::new(start, start + length)).collect())
    }

    fn seconds(spans: &[Span]) -> BTreeSet<i64> {
        spans.iter().flat_map(|span| span.start..span.end).collect()
    }

    fn set(spans: &[Span]) -> Spans {
        spans.iter().copied().collect()
    }

    /// Neither overlapping nor touching, in order.
    fn is_tidy(spans: &Spans) -> bool {
        spans.0.windows(2).all(|pair| pair[0].end < pair[1].start)
    }

    proptest! {
        #[test]
        fn sets_are_what_their_seconds_are_one_by_one(a in spans(), b in spans(), cut in (0i64..60, 1i64..30)) {
            let (left, right) = (seconds(&a), seconds(&b));
            let cut = Span::new(cut.0, cut.0 + cut.1).unwrap();
            let whole = set(&a);
            prop_assert!(is_tidy(&whole));
            prop_assert_eq!(seconds(whole.as_slice()), left.clone());
            prop_assert_eq!(whole.seconds(), left.len() as i64);

            let union = whole.union(&set(&b));
            prop_assert!(is_tidy(&union));
            prop_assert_eq!(seconds(union.as_slice()), left.union(&right).copied().collect::<BTreeSet<_>>());

            let rest = whole.minus(&set(&b));
            prop_assert!(is_tidy(&rest));
            prop_assert_eq!(seconds(rest.as_slice()), left.difference(&right).copied().collect::<BTreeSet<_>>());

            let clipped = whole.clip(cut);
            prop_assert_eq!(
                seconds(clipped.as_slice()),
                left.iter().copied().filter(|s| (cut.start..cut.end).contains(s)).collect::<BTreeSet<_>>()
            );
            for slot in -1..80 {
                // The second that ends at the slot's timestamp decides.
                prop_assert_eq!(whole.holds_slot(slot), left.contains(&(slot - 1)), "slot {}", slot);
            }
        }
    }

    #[test]
    fn a_span_has_its_start_and_not_its_end_and_a_slot_the_other_way_round() {
        assert_eq!(Span::new(5, 5), None);
        assert_eq!(Span::new(6, 5), None);
        let span = Span::new(300, 600).unwrap();
        assert!(!span.overlaps(Span::new(600, 900).unwrap()));
        assert_eq!([300, 301, 600, 601].map(|slot| span.holds_slot(slot)), [false, true, true, false]);
    }
}
