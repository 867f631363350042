//! A contract as a closed month keeps it.

use std::time::Duration;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::contract::{Capability, Contract, DutyTerms, Function, MaintenanceTerms, Text, Upstream, WeekSlot};

/// What of a contract its figures depend on, and what its report names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Terms {
    title: Text,
    timezone: String,
    start: Option<Date>,
    notice_seconds: u64,
    slot: Option<Slot>,
    functions: Vec<FunctionTerms>,
    upstreams: Vec<Upstream>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    duties: Vec<DutyTerms>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FunctionTerms {
    name: String,
    title: Text,
    objective: f64,
    maintenance_limit_seconds: Option<u64>,
    capabilities: Vec<Capability>,
}

/// Days counted from Monday, 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Slot {
    from: (i8, Time),
    to: (i8, Time),
}

impl Terms {
    pub(super) fn of(contract: &Contract) -> Self {
        let moment = |(day, time): (Weekday, Time)| (day.to_monday_zero_offset(), time);
        Self {
            title: contract.title.clone(),
            timezone: contract.timezone_name.clone(),
            start: contract.start,
            notice_seconds: contract.maintenance.notice.as_secs(),
            slot: contract.maintenance.slot.map(|slot| Slot { from: moment(slot.from), to: moment(slot.to) }),
            functions: contract
                .functions
                .iter()
                .map(|function| FunctionTerms {
                    name: function.name.clone(),
                    title: function.title.clone(),
                    objective: function.objective,
                    maintenance_limit_seconds: function.maintenance_limit.map(|limit| limit.as_secs()),
                    capabilities: function.capabilities.clone(),
                })
                .collect(),
            // Which probes watch one changes no figure: no revision because of that.
            upstreams: contract
                .upstreams
                .iter()
                .map(|upstream| Upstream { probes: Vec::new(), ..upstream.clone() })
                .collect(),
            duties: contract.duties.clone(),
        }
    }

    /// The contract called `name`.
    ///
    /// # Errors
    /// When its zone or its days are not known here.
    pub(super) fn contract(&self, name: &str) -> Result<Contract, String> {
        let timezone = TimeZone::get(&self.timezone)
            .map_err(|_| format!("its time zone `{}` is not known to this version", self.timezone))?;
        let moment = |(day, time): (i8, Time)| {
            let day =
                Weekday::from_monday_zero_offset(day).map_err(|_| "its weekly slot has no such day".to_owned())?;
            Ok::<_, String>((day, time))
        };
        let slot = self.slot.map(|slot| Ok::<_, String>(WeekSlot { from: moment(slot.from)?, to: moment(slot.to)? }));
        Ok(Contract {
            name: name.to_owned(),
            title: self.title.clone(),
            timezone,
            timezone_name: self.timezone.clone(),
            start: self.start,
            maintenance: MaintenanceTerms { notice: Duration::from_secs(self.notice_seconds), slot: slot.transpose()? },
            functions: self
                .functions
                .iter()
                .map(|function| Function {
                    name: function.name.clone(),
                    title: function.title.clone(),
                    objective: function.objective,
                    maintenance_limit: function.maintenance_limit_seconds.map(Duration::from_secs),
                    capabilities: function.capabilities.clone(),
                })
                .collect(),
            upstreams: self.upstreams.clone(),
            connectivity: Vec::new(),
            duties: self.duties.clone(),
        })
    }
}
