//! The support desk on the page: the calendar at once, tickets as they were last read.

use std::sync::{Mutex, PoisonError};

use jiff::tz::TimeZone;

use super::figures::{Figures, MonthFigures, quantile};
use super::settings::Support;
use super::settled::Settled;
use super::ticket::Ticket;
use crate::config::Config;
use crate::exposition::{Kind, Page};

/// Shares shown of the time to an answer.
const QUANTILES: [(f64, &str); 3] = [(0.5, "quantile=\"0.5\""), (0.9, "quantile=\"0.9\""), (1.0, "quantile=\"1\"")];

/// What is known of tickets.
#[derive(Debug, Default)]
pub struct SupportMetrics(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// Absent: not read yet, or the last reading failed. What waited then may be answered by now.
    tickets: Option<Read>,
    /// Whether the last reading went well; absent before the first.
    success: Option<bool>,
    /// When one last did (seconds since the epoch).
    read_at: Option<i64>,
}

#[derive(Debug)]
struct Read {
    tickets: Vec<Ticket>,
    /// With a calendar that was in force.
    settled: Settled,
}

impl SupportMetrics {
    /// Nothing is known, of another source or of none.
    pub(super) fn forget(&self) {
        *self.lock() = Known::default();
    }

    /// A reading ended at `now`. Works out what does not change any more: of very many tickets that takes a moment.
    pub fn read(&self, found: Result<Vec<Ticket>, String>, support: &Support, zone: &TimeZone, now: i64) {
        let read = found.map(|tickets| Read { settled: Settled::of(&tickets, support, zone, now), tickets });
        let mut known = self.lock();
        known.success = Some(read.is_ok());
        known.tickets = read.ok();
        if known.tickets.is_some() {
            known.read_at = Some(now);
        }
    }

    /// Writes all families of the desk of `config` at `now`.
    #[allow(clippy::cast_precision_loss)]
    pub fn write(&self, config: &Config, now: i64, page: &mut Page) {
        let Some(support) = &config.support else { return };
        let contract = [("contract", config.contract.name.as_str())];
        calendar(support, contract, now, page);
        if support.tickets.is_none() {
            return;
        }
        let mut known = self.lock();
        if let Some(success) = known.success {
            page.family("sla_support_tickets_success", "Whether the last reading of tickets went well.", Kind::Gauge);
            page.sample(&contract, f64::from(u8::from(success)));
        }
        if let Some(at) = known.read_at {
            page.family(
                "sla_support_tickets_read_timestamp_seconds",
                "When tickets were last read, in seconds since the epoch.",
                Kind::Gauge,
            );
            page.sample(&contract, at as f64);
        }
        if let Some(read) = &mut known.tickets {
            let zone = &config.contract.timezone;
            if !read.settled.is_of(support, zone, now) {
                read.settled = Settled::of(&read.tickets, support, zone, now);
            }
            let figures = read.settled.figures(support, zone, now);
            waiting(&figures, contract, page);
            months(&figures, contract[0].1, page);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[allow(clippy::cast_precision_loss)]
fn calendar(support: &Support, contract: [(&str, &str); 1], now: i64, page: &mut Page) {
    page.family("sla_support_open", "Whether it is business hours of the support desk (C3.2).", Kind::Gauge);
    page.sample(&contract, f64::from(u8::from(support.calendar.is_open(now))));
    page.family("sla_support_business_day", "Whether today is a business day of the support desk (C3.2).", Kind::Gauge);
    page.sample(&contract, f64::from(u8::from(support.calendar.is_business_day_at(now))));
    if let Some(change) = support.calendar.next_change(now) {
        page.family(
            "sla_support_next_change_timestamp_seconds",
            "When the support desk opens or closes next, in seconds since the epoch.",
            Kind::Gauge,
        );
        page.sample(&contract, change as f64);
    }
}

#[allow(clippy::cast_precision_loss)]
fn waiting(figures: &Figures, contract: [(&str, &str); 1], page: &mut Page) {
    for (name, help, count) in [
        ("sla_support_tickets_open", "Inquiries that wait for an answer.", figures.open),
        ("sla_support_tickets_overdue", "Inquiries that wait and are past their deadline (C3.4).", figures.overdue),
        (
            "sla_support_tickets_due_soon",
            "Inquiries that wait and whose deadline is within `support.due_soon` of business time.",
            figures.due_soon,
        ),
    ] {
        page.family(name, help, Kind::Gauge);
        page.sample(&contract, count as f64);
    }
    for (name, help, moment) in [
        (
            "sla_support_tickets_next_due_timestamp_seconds",
            "The first deadline to come among inquiries that wait, in seconds since the epoch.",
            figures.next_due,
        ),
        (
            "sla_support_tickets_overdue_since_timestamp_seconds",
            "The first deadline that passed among inquiries that wait, in seconds since the epoch.",
            figures.overdue_since,
        ),
    ] {
        if let Some(moment) = moment {
            page.family(name, help, Kind::Gauge);
            page.sample(&contract, moment as f64);
        }
    }
}

#[allow(clippy::cast_precision_loss)]
fn months(figures: &Figures, contract: &str, page: &mut Page) {
    let named: Vec<(String, &MonthFigures)> = figures
        .months
        .iter()
        .enumerate()
        .map(|(back, month)| {
            let period = ["current", "previous"].get(back).copied().unwrap_or("closed");
            (format!("contract=\"{contract}\",month=\"{}\",period=\"{period}\"", month.month), month)
        })
        .collect();
    page.family(
        "sla_support_tickets",
        "Inquiries by the month they were received in: answered in time or late (C3.4), waiting past their deadline (overdue) or before it.",
        Kind::Gauge,
    );
    for (labels, month) in &named {
        for (state, count) in [
            ("state=\"in_time\"", month.in_time),
            ("state=\"late\"", month.late),
            ("state=\"overdue\"", month.overdue),
            ("state=\"waiting\"", month.waiting),
        ] {
            page.rendered(labels, state, count as f64);
        }
    }
    summary(
        "sla_support_answer_seconds",
        "Time from receipt to answer of inquiries received in the month.",
        &named,
        |month| &month.elapsed,
        page,
    );
    summary(
        "sla_support_answer_business_seconds",
        "The same, counting business hours only.",
        &named,
        |month| &month.business,
        page,
    );
}

#[allow(clippy::cast_precision_loss)]
fn summary(
    name: &str,
    help: &str,
    months: &[(String, &MonthFigures)],
    of: impl Fn(&MonthFigures) -> &[i64],
    page: &mut Page,
) {
    page.family(name, help, Kind::Summary);
    for (labels, month) in months {
        let values = of(month);
        for (share, label) in QUANTILES {
            if let Some(value) = quantile(values, share) {
                page.line(name, labels, label, value as f64);
            }
        }
        page.line(&format!("{name}_sum"), labels, "", values.iter().sum::<i64>() as f64);
        page.line(&format!("{name}_count"), labels, "", values.len() as f64);
    }
}
