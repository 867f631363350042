//! What an evaluation may take: built into the expression itself, for the library has no such bound.
//!
//! Wherever a loop turns and wherever a value is made or copied, the expression is rewritten to pay first: each turn and
//! each call a fixed sum, each copy what it weighs. What is read from the body is shared and weighs nothing. Once the
//! purse is empty or the time is up, everything fails at once, and the loops end.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use ::cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, operators};
use ::cel::common::types::{CelBytes, CelList, CelMap, CelString, DYN_TYPE, Type};
use ::cel::common::value::{StaticVal, Val};
use ::cel::{DeclarationError, Env, ExecutionError};
use tokio::time::Instant;

use super::value::Shared;

/// What one evaluation may spend; about the bytes it makes, and [`STEP`] for each step.
const BUDGET: u64 = 32 << 20;
/// What a step costs, and the least a value weighs.
const STEP: u64 = 32;
/// How long an evaluation may take.
pub(super) const MAX_TIME: Duration = Duration::from_secs(2);

/// The variable that holds the purse; no expression can name it.
pub(super) const VARIABLE: &str = "@meter";
/// The function that pays, likewise.
const SPEND: &str = "@spend";

/// Operators whose results are no larger than a number.
const SMALL: &[&str] = &[
    operators::LOGICAL_AND,
    operators::LOGICAL_OR,
    operators::LOGICAL_NOT,
    operators::CONDITIONAL,
    operators::EQUALS,
    operators::NOT_EQUALS,
    operators::LESS,
    operators::LESS_EQUALS,
    operators::GREATER,
    operators::GREATER_EQUALS,
    operators::SUBSTRACT,
    operators::MULTIPLY,
    operators::DIVIDE,
    operators::MODULO,
    operators::NEGATE,
    operators::INDEX,
    operators::NOT_STRICTLY_FALSE,
];

/// The purse of one evaluation.
#[derive(Clone, Debug)]
pub(super) struct Meter(Arc<State>);

#[derive(Debug)]
struct State {
    left: AtomicU64,
    until: Instant,
    empty: AtomicBool,
}

impl Meter {
    /// A full one, from now on.
    pub(super) fn start() -> Self {
        let until = Instant::now() + MAX_TIME;
        Self(Arc::new(State { left: AtomicU64::new(BUDGET), until, empty: AtomicBool::new(false) }))
    }

    /// Whether more was asked of it than it had: whatever came of the evaluation means nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.0.empty.load(Ordering::Relaxed)
    }

    fn spend(&self, sum: u64) -> Result<(), ExecutionError> {
        let left = self.0.left.load(Ordering::Relaxed);
        if self.is_empty() || sum > left || Instant::now() >= self.0.until {
            self.0.empty.store(true, Ordering::Relaxed);
            return Err(ExecutionError::function_error(SPEND, "too much"));
        }
        self.0.left.store(left - sum, Ordering::Relaxed);
        Ok(())
    }
}

impl StaticVal for Meter {}

impl Val for Meter {
    fn get_type(&self) -> &Type {
        <Self as Val>::cel_type()
    }

    fn cel_type() -> &'static Type {
        static METER: Type = Type::new_unspecified_type("meter");
        &METER
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

/// Adds what [`install`]ed expressions call.
pub(super) fn declare(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_overload(SPEND, "spend", vec![DYN_TYPE, DYN_TYPE], |mut args| {
        let (Some(value), Some(meter)) = (args.pop(), args.pop()) else {
            return Err(ExecutionError::missing_argument_or_target());
        };
        if let Some(meter) = meter.downcast_ref::<Meter>() {
            meter.spend(STEP + weight(value.as_ref()))?;
        }
        Ok(value)
    })
}

/// About the bytes a copy of `value` takes.
fn weight(value: &(dyn Val + '_)) -> u64 {
    if value.downcast_ref::<Shared>().is_some() {
        STEP
    } else if let Some(text) = value.downcast_ref::<CelString<'_>>() {
        STEP + text.inner().len() as u64
    } else if let Some(bytes) = value.downcast_ref::<CelBytes<'_>>() {
        STEP + bytes.inner().len() as u64
    } else if let Some(list) = value.downcast_ref::<CelList<'_>>() {
        STEP + list.inner().iter().map(|item| weight(item.as_ref())).sum::<u64>()
    } else if let Some(map) = value.downcast_ref::<CelMap<'_>>() {
        let entries = map.inner().iter();
        STEP + entries.map(|(key, value)| weight(key.inner()) + weight(value.as_ref())).sum::<u64>()
    } else {
        STEP
    }
}

/// Rewrites `expr` so that it pays for what it takes.
pub(super) fn install(expr: &mut IdedExpr) {
    match &mut expr.expr {
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => {}
        Expr::Select(select) => install(&mut select.operand),
        Expr::Call(call) => {
            call_parts(call).for_each(install);
            if !SMALL.contains(&call.func_name.as_str()) {
                pays(expr);
            }
        }
        Expr::List(list) => {
            for item in &mut list.elements {
                install(item);
                pays(item);
            }
        }
        Expr::Map(map) => {
            for entry in &mut map.entries {
                install_entry(&mut entry.expr);
            }
        }
        Expr::Struct(made) => {
            for entry in &mut made.entries {
                install_entry(&mut entry.expr);
            }
        }
        Expr::Comprehension(comprehension) => install_loop(comprehension),
    }
}

fn install_entry(entry: &mut EntryExpr) {
    let parts = match entry {
        EntryExpr::StructField(field) => vec![&mut field.value],
        EntryExpr::MapEntry(entry) => vec![&mut entry.key, &mut entry.value],
    };
    for part in parts {
        install(part);
        pays(part);
    }
}

/// A loop pays at each turn, where it stands: `all` and `exists` go on after an error in the step, but not after one in
/// the condition; `map`, `filter` and `exists_one` end at any, and are fast only while their condition is a literal and
/// their step appends to the result as the macro wrote it.
fn install_loop(comprehension: &mut ComprehensionExpr) {
    let ComprehensionExpr { iter_range, accu_init, loop_cond, loop_step, result, .. } = comprehension;
    install(iter_range);
    install(accu_init);
    if !matches!(loop_cond.expr, Expr::Literal(_)) {
        install(loop_cond);
        pays(loop_cond);
        install(loop_step);
        return install(result);
    }
    match &mut loop_step.expr {
        Expr::Call(step) if step.func_name == operators::CONDITIONAL => {
            if let [guard, append, _] = step.args.as_mut_slice() {
                install(guard);
                pays(guard);
                install_append(append);
            }
        }
        _ => install_append(loop_step),
    }
    install(result);
}

/// The appended items pay; what appends them does not.
fn install_append(expr: &mut IdedExpr) {
    match &mut expr.expr {
        Expr::Call(call) if call.func_name == operators::ADD => call_parts(call).for_each(install),
        _ => install(expr),
    }
}

fn call_parts(call: &mut CallExpr) -> impl Iterator<Item = &mut IdedExpr> {
    call.target.as_deref_mut().into_iter().chain(&mut call.args)
}

/// `expr` becomes the same, paid for.
fn pays(expr: &mut IdedExpr) {
    let id = expr.id;
    let meter = IdedExpr { id, expr: Expr::Ident(VARIABLE.to_owned()) };
    let paid = std::mem::take(expr);
    *expr = IdedExpr {
        id,
        expr: Expr::Call(CallExpr { func_name: SPEND.to_owned(), target: None, args: vec![meter, paid] }),
    };
}
