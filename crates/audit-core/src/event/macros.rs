//! What is made from the event table.

/// Declares an event enum from a table. Public only so that a test can show that a table with a
/// member nobody walks does not compile.
#[doc(hidden)]
#[macro_export]
macro_rules! event_table {
    (
        $(#[$enum_doc:meta])*
        enum $name:ident;
        $($category:ident {
            $(
                $(#[doc = $doc:literal])+
                $criticality:ident $variant:ident = $wire:literal
                $([ $($lead:ident: $lead_ty:ty),+ ])?
                { $($field:ident: $ty:ty),* $(,)? }
            )+
        })+
    ) => {
        $(#[$enum_doc])*
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum $name<'a> {
            $($(
                $(#[doc = $doc])+
                #[expect(missing_docs, reason = "the members are the table's")]
                $variant {
                    $($($lead: $lead_ty,)+)?
                    timestamp: $crate::EventTime,
                    $($field: $ty,)*
                },
            )+)+
            /// An event that is kept as it came.
            Opaque($crate::event::OpaqueEvent<'a>),
        }

        impl<'a> $name<'a> {
            /// The rows of the table, in its order.
            pub const TABLE: &'static [$crate::event::EventRow] = &[$($(
                $crate::event::EventRow {
                    event_type: $wire,
                    category: $crate::event::EventCategory::$category,
                    criticality: $crate::event::Criticality::$criticality,
                    doc: concat!($($doc),+),
                    fields: &[
                        $($($crate::event_table!(@row $lead, $lead_ty),)+)?
                        $crate::event_table!(@row timestamp, $crate::EventTime),
                        $($crate::event_table!(@row $field, $ty),)*
                    ],
                },
            )+)+];

            /// The wire name.
            #[must_use]
            pub fn event_type(&self) -> &str {
                match self {
                    $($(Self::$variant { .. } => $wire,)+)+
                    Self::Opaque(event) => event.event_type(),
                }
            }

            /// What it is about.
            #[must_use]
            pub fn category(&self) -> $crate::event::EventCategory {
                match self {
                    $($(Self::$variant { .. } => $crate::event::EventCategory::$category,)+)+
                    Self::Opaque(_) => $crate::event::EventCategory::Custom,
                }
            }

            /// Whether the default flush mode waits for the disk before it returns.
            #[must_use]
            pub fn is_critical(&self) -> bool {
                match self {
                    $($($crate::event_table!(@pattern $criticality $name $variant critical) => {
                        $crate::event_table!(@critical $criticality critical)
                    })+)+
                    Self::Opaque(event) => event.is_critical(),
                }
            }

            /// When it happened, as the caller says.
            #[must_use]
            pub fn timestamp(&self) -> Option<$crate::EventTime> {
                match self {
                    $($(Self::$variant { timestamp, .. } => Some(*timestamp),)+)+
                    Self::Opaque(event) => event.timestamp(),
                }
            }

            /// Shows every caller-supplied text to the visitor.
            ///
            /// # Errors
            ///
            /// Those of the visitor; what it replaced before stays replaced.
            pub fn walk<V: $crate::event::TextVisitor<'a>>(
                &mut self,
                visitor: &mut V,
            ) -> Result<(), V::Error> {
                match self {
                    $($(Self::$variant { $($($lead,)+)? timestamp: _, $($field,)* } => {
                        $($($crate::event::EventField::walk(
                            $lead,
                            &$crate::marks::Pointer::member(stringify!($lead)),
                            visitor,
                        )?;)+)?
                        $($crate::event::EventField::walk(
                            $field,
                            &$crate::marks::Pointer::member(stringify!($field)),
                            visitor,
                        )?;)*
                        Ok(())
                    })+)+
                    Self::Opaque(event) => event.walk(visitor),
                }
            }

            /// Reads the members of a type that the table has; `None` for one it has not.
            pub(crate) fn decode_row(
                event_type: &str,
                members: &mut serde_json::Map<String, serde_json::Value>,
                too_deep: &$crate::marks::Marks,
            ) -> Option<Result<Self, $crate::event::decode::MemberFault>> {
                match event_type {
                    $($($wire => Some((|| {
                        use $crate::event::decode::{refuse_mistyped, take_member};
                        $($(let $lead = take_member(members, stringify!($lead));)+)?
                        let timestamp = take_member(members, "timestamp");
                        $(let $field = take_member(members, stringify!($field));)*
                        $($(refuse_mistyped(&$lead, too_deep)?;)+)?
                        refuse_mistyped(&timestamp, too_deep)?;
                        $(refuse_mistyped(&$field, too_deep)?;)*
                        Ok(Self::$variant {
                            $($($lead: $lead?,)+)?
                            timestamp: timestamp?,
                            $($field: $field?,)*
                        })
                    })()),)+)+
                    _ => None,
                }
            }
        }

        impl serde::Serialize for $name<'_> {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap as _;
                match self {
                    $($(Self::$variant { $($($lead,)+)? timestamp, $($field,)* } => {
                        let mut map = serializer.serialize_map(None)?;
                        map.serialize_entry("event_type", $wire)?;
                        $($(map.serialize_entry(stringify!($lead), $lead)?;)+)?
                        map.serialize_entry("timestamp", timestamp)?;
                        $(if !$crate::event::EventField::is_absent($field) {
                            map.serialize_entry(stringify!($field), $field)?;
                        })*
                        map.end()
                    })+)+
                    Self::Opaque(event) => event.serialize(serializer),
                }
            }
        }
    };

    (@row $field:ident, $ty:ty) => {
        $crate::event::FieldRow {
            name: stringify!($field),
            kind: <$ty as $crate::event::EventField>::KIND,
            optional: <$ty as $crate::event::EventField>::OPTIONAL,
        }
    };
    (@pattern Stated $name:ident $variant:ident $critical:ident) => {
        $name::$variant { $critical, .. }
    };
    (@pattern $criticality:ident $name:ident $variant:ident $critical:ident) => {
        $name::$variant { .. }
    };
    (@critical Stated $critical:ident) => {
        *$critical
    };
    (@critical Critical $critical:ident) => {
        true
    };
    (@critical Routine $critical:ident) => {
        false
    };
}
