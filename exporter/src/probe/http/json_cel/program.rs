//! A CEL expression: compiled when the configuration is read, evaluated on a body within bounds.

use std::sync::{Arc, OnceLock};

use ::cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue};
use ::cel::common::types::CelBool;
use ::cel::common::value::Val;
use ::cel::parser::Parser;
use ::cel::{Context, Env, ExecutionError, ParseErrors, Value};
use regex::Regex;

use super::meter::{self, Meter};

/// The longest expression, in bytes.
const MAX_LENGTH: usize = 4096;
/// The deepest, in operations within one another.
const MAX_DEPTH: usize = 100;
/// The only variable.
const BODY: &str = "body";

/// An expression that can be evaluated.
#[derive(Debug)]
pub(super) struct Program {
    source: String,
    expression: IdedExpr,
}

impl Program {
    /// Compiles `source`.
    ///
    /// # Errors
    /// With what is wrong with it, and where.
    pub(super) fn compile(source: &str) -> Result<Self, String> {
        if source.len() > MAX_LENGTH {
            return Err(format!("has {} bytes; an expression has at most {MAX_LENGTH}", source.len()));
        }
        // A thread of its own: what the parser does with a bad text is the parser's, and must not be this process's end.
        let text = source.to_owned();
        let compiled =
            super::on_a_thread(move || compiled(&text)).map_err(|why| format!("cannot be compiled: {why}"))?;
        let expression = compiled.join().unwrap_or_else(|_| Err("is not a CEL expression".to_owned()))?;
        Ok(Self { source: source.to_owned(), expression })
    }

    /// As it was written.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// What it says of `body`; recurses.
    ///
    /// # Errors
    /// Where it says neither true nor false, with why.
    pub(super) fn decide(&self, body: Box<dyn Val>) -> Result<bool, String> {
        let meter = Meter::start();
        let mut context = Context::with_env(environment()?);
        context.add_variable_as_val(BODY, body);
        context.add_variable_as_val(meter::VARIABLE, Box::new(meter.clone()));
        let result = Value::resolve_val(&self.expression, &context);
        if meter.is_empty() {
            let seconds = meter::MAX_TIME.as_secs();
            return Err(format!("takes too much with this body: more than {seconds} s, or too many steps or copies"));
        }
        let value = result.map_err(|error| format!("cannot be evaluated with this body: {}", explain(&error)))?;
        match value.downcast_ref::<CelBool>() {
            Some(answer) => Ok(*answer.inner()),
            None => Err(format!("is neither true nor false but a {}", value.get_type().name())),
        }
    }
}

/// The functions and types there are: the standard ones.
fn environment() -> Result<Arc<Env>, String> {
    static ENVIRONMENT: OnceLock<Result<Arc<Env>, String>> = OnceLock::new();
    let made = || {
        let mut env = Env::default().with_optional_support(false).with_stdlib();
        meter::declare(&mut env).map_err(|why| why.to_string())?;
        Ok(Arc::new(env))
    };
    ENVIRONMENT.get_or_init(made).clone()
}

fn compiled(source: &str) -> Result<IdedExpr, String> {
    let mut expression = Parser::new().parse(source).map_err(|errors| first(&errors))?;
    let known = Known { context: Context::with_env(environment()?) };
    known.check(&expression, &mut Vec::new(), 0)?;
    meter::install(&mut expression);
    Ok(expression)
}

fn first(errors: &ParseErrors) -> String {
    let Some(error) = errors.errors.first() else { return "is not a CEL expression".to_owned() };
    let (line, column) = error.pos;
    let what = error.msg.lines().next().unwrap_or_default();
    // Of alternatives the parser names dozens.
    let what = what.split_once(" expecting {").map_or(what, |(found, _)| found);
    let what = what.trim_start_matches("Syntax error: ");
    let hint = if what.contains("error at: '=") { "; write == to compare" } else { "" };
    let place = if line > 1 { format!("line {line}, column {column}") } else { format!("column {column}") };
    format!("is not a CEL expression: {what} ({place} of it){hint}")
}

/// What expressions can name.
struct Known {
    context: Context<'static, 'static>,
}

impl Known {
    /// Whether all of `expr` is there: what would fail at each run is said now.
    fn check<'e>(&self, expr: &'e IdedExpr, names: &mut Vec<&'e str>, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err(format!("nests deeper than {MAX_DEPTH} operations"));
        }
        let depth = depth + 1;
        match &expr.expr {
            Expr::Unspecified => Err("is not a CEL expression".to_owned()),
            Expr::Literal(_) => Ok(()),
            Expr::Ident(name) => {
                let known = name == BODY || names.contains(&name.as_str()) || self.evaluates(expr);
                if known {
                    Ok(())
                } else {
                    Err(format!("names `{name}`; the only variable is `{BODY}`, as in `{BODY}.{name}`"))
                }
            }
            // Such as the name of a type with dots in it.
            Expr::Select(select) if is_name(&select.operand) && self.evaluates(expr) => Ok(()),
            Expr::Select(select) => self.check(&select.operand, names, depth),
            Expr::Call(call) => {
                self.check_function(call)?;
                call.target.as_deref().into_iter().chain(&call.args).try_for_each(|part| self.check(part, names, depth))
            }
            Expr::List(list) => list.elements.iter().try_for_each(|item| self.check(item, names, depth)),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| match &entry.expr {
                EntryExpr::StructField(field) => self.check(&field.value, names, depth),
                EntryExpr::MapEntry(entry) => {
                    self.check(&entry.key, names, depth)?;
                    self.check(&entry.value, names, depth)
                }
            }),
            Expr::Struct(made) => Err(format!("makes a `{}`, a type that is not there", made.type_name)),
            Expr::Comprehension(parts) => {
                self.check(&parts.iter_range, names, depth)?;
                self.check(&parts.accu_init, names, depth)?;
                let outside = names.len();
                names.extend([parts.iter_var.as_str(), parts.accu_var.as_str()]);
                names.extend(parts.iter_var2.as_deref());
                let inside = [&parts.loop_cond, &parts.loop_step, &parts.result];
                let result = inside.into_iter().try_for_each(|part| self.check(part, names, depth));
                names.truncate(outside);
                result
            }
        }
    }

    fn check_function(&self, call: &CallExpr) -> Result<(), String> {
        let name = &call.func_name;
        if name == "matches" {
            // An expression from the body could be one that takes long to compile.
            let Some(Expr::Literal(LiteralValue::String(pattern))) = call.args.last().map(|arg| &arg.expr) else {
                return Err("gives `matches` a regular expression that is not written as a text".to_owned());
            };
            Regex::new(pattern.inner())
                .map_err(|_| format!("gives `matches` no regular expression: `{}`", pattern.inner()))?;
        }
        // Without arguments one that is there has no overload, or an answer.
        let nothing = || IdedExpr { id: 0, expr: Expr::Literal(LiteralValue::Null) };
        let forms = [None, Some(Box::new(nothing()))].map(|target| IdedExpr {
            id: 0,
            expr: Expr::Call(CallExpr { func_name: name.clone(), target, args: Vec::new() }),
        });
        let operator = !name.starts_with(|first: char| first.is_ascii_alphabetic());
        if operator || forms.iter().any(|form| self.is_declared(form)) {
            Ok(())
        } else {
            Err(format!("calls `{name}`, a function that is not there"))
        }
    }

    fn is_declared(&self, call: &IdedExpr) -> bool {
        !matches!(Value::resolve_val(call, &self.context), Err(ExecutionError::UndeclaredReference(_)))
    }

    fn evaluates(&self, expr: &IdedExpr) -> bool {
        Value::resolve_val(expr, &self.context).is_ok()
    }
}

/// Whether it is an identifier, or several joined by dots.
fn is_name(expr: &IdedExpr) -> bool {
    match &expr.expr {
        Expr::Ident(_) => true,
        Expr::Select(select) => is_name(&select.operand),
        _ => false,
    }
}

/// Why an evaluation failed. The values that some errors carry are the body's, and may be large: they are not repeated.
fn explain(error: &ExecutionError) -> String {
    use ExecutionError as E;
    match error {
        E::NoSuchKey(key) => format!("no such key: {}", short(key)),
        E::NoSuchOverload(_) | E::UnexpectedType { .. } | E::InvalidArgumentCount { .. } => {
            let text = error.to_string();
            let mut letters = text.chars();
            // As ours begin.
            letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
        }
        E::FunctionError { function, .. } => format!("`{function}` has no result for what it is given"),
        E::DivisionByZero(_) | E::RemainderByZero(_) => "division by zero".to_owned(),
        E::Overflow(..) => "a result is too large".to_owned(),
        E::IndexOutOfBounds(_) => "there is no item with such an index".to_owned(),
        E::ValuesNotComparable(..) => "values that cannot be compared".to_owned(),
        E::UnsupportedIndex(..) => "an index of the wrong type".to_owned(),
        E::UnsupportedBinaryOperator(operator, ..) => format!("`{operator}` is not for such values"),
        E::DuplicateKey(_) => "a map with one key twice".to_owned(),
        _ => "an operation is not for such values".to_owned(),
    }
}

/// The beginning of a text that may be long.
fn short(text: &str) -> &str {
    &text[..text.floor_char_boundary(100)]
}
