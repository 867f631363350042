//! A JSON text as the value an expression sees: read once, bounded, and never copied again.
//!
//! Numbers are all `double`, as they are for blackbox_exporter.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use ::cel::common::traits::{
    Adder, Comparer, Container, Divider, Indexer, Iterable, Modder, Multiplier, Negator, Sizer, Subtractor, Zeroer,
};
use ::cel::common::types::{CelBool, CelDouble, CelList, CelMap, CelMapKey, CelNull, CelString, DYN_TYPE, Type};
use ::cel::common::value::{Builtin, BuiltinRef, StaticVal, Val};
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};

/// Values in one text, keys included. Each takes up to some hundred bytes, whatever it takes as text.
pub(super) const MAX_VALUES: usize = 200_000;

/// The value of a JSON text; its clones share what is large.
///
/// # Errors
/// Where it is none, with the place; where it has more than [`MAX_VALUES`] values, or nests deeper than 127.
pub(super) fn parse(text: &[u8]) -> Result<Box<dyn Val>, String> {
    // As Go does, which does not mind what is not UTF-8 in a string.
    let text = String::from_utf8_lossy(text);
    let mut left = MAX_VALUES;
    let mut reader = serde_json::Deserializer::from_str(&text);
    let value = Node { left: &mut left }.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    value.map_err(|why| why.to_string())
}

/// A value that many hold and that is cloned without being copied.
#[derive(Clone)]
pub(super) struct Shared(Arc<dyn Val>);

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl StaticVal for Shared {}

/// All of it is what the value within says.
impl Val for Shared {
    fn get_type(&self) -> &Type {
        self.0.get_type()
    }

    fn cel_type() -> &'static Type {
        static ANY: Type = DYN_TYPE;
        &ANY
    }

    fn as_adder<'b, 'v>(&'b self) -> Option<&'b (dyn Adder + 'v)> {
        self.0.as_adder()
    }

    fn as_comparer(&self) -> Option<&dyn Comparer> {
        self.0.as_comparer()
    }

    fn as_container(&self) -> Option<&dyn Container> {
        self.0.as_container()
    }

    fn as_divider<'b, 'v>(&'b self) -> Option<&'b (dyn Divider + 'v)> {
        self.0.as_divider()
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)> {
        self.0.as_indexer()
    }

    fn as_iterable<'b, 'v>(&'b self) -> Option<&'b (dyn Iterable + 'v)> {
        self.0.as_iterable()
    }

    fn as_modder<'b, 'v>(&'b self) -> Option<&'b (dyn Modder + 'v)> {
        self.0.as_modder()
    }

    fn as_multiplier<'b, 'v>(&'b self) -> Option<&'b (dyn Multiplier + 'v)> {
        self.0.as_multiplier()
    }

    fn as_negator<'b, 'v>(&'b self) -> Option<&'b (dyn Negator + 'v)> {
        self.0.as_negator()
    }

    fn as_sizer(&self) -> Option<&dyn Sizer> {
        self.0.as_sizer()
    }

    fn as_subtractor<'b, 'v>(&'b self) -> Option<&'b (dyn Subtractor + 'v)> {
        self.0.as_subtractor()
    }

    fn as_zeroer(&self) -> Option<&dyn Zeroer> {
        self.0.as_zeroer()
    }

    fn equals(&self, other: &dyn Val) -> bool {
        self.0.equals(other)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }

    // With these two it is a list or a string also for those who look for one.
    fn as_builtin<'b, 'v>(&'b self) -> BuiltinRef<'b, 'v> {
        self.0.as_builtin()
    }

    fn into_builtin<'v>(self: Box<Self>) -> Option<Builtin<'v>> {
        self.0.clone_as_boxed().into_builtin()
    }
}

/// One value of a text, as long as some are left.
struct Node<'a> {
    left: &'a mut usize,
}

impl Node<'_> {
    fn count<E: de::Error>(&mut self) -> Result<(), E> {
        *self.left = self.left.checked_sub(1).ok_or_else(|| {
            E::custom(format_args!("more than the {MAX_VALUES} values that are read for an expression"))
        })?;
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Box<dyn Val>;

    fn deserialize<D: de::Deserializer<'de>>(mut self, reader: D) -> Result<Self::Value, D::Error> {
        self.count()?;
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Box<dyn Val>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(Box::new(CelNull))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Box::new(CelBool::from(value)))
    }

    // as for blackbox_exporter
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Box::new(CelDouble::from(value as f64)))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Box::new(CelDouble::from(value as f64)))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Box::new(CelDouble::from(value)))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Box::new(Shared(Arc::new(CelString::from(value.to_owned())))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list: Vec<Box<dyn Val>> = Vec::new();
        while let Some(item) = items.next_element_seed(Node { left: &mut *self.left })? {
            list.push(item);
        }
        Ok(Box::new(Shared(Arc::new(CelList::from(list)))))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut map: HashMap<CelMapKey<'static>, Box<dyn Val>> = HashMap::new();
        while let Some(key) = entries.next_key::<String>()? {
            self.count()?;
            let value = entries.next_value_seed(Node { left: &mut *self.left })?;
            // Of two with one key the later one counts.
            map.insert(CelMapKey::from(key), value);
        }
        Ok(Box::new(Shared(Arc::new(CelMap::from(map)))))
    }
}
