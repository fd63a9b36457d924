//! The JSON Schema of the report, made from the types that are serialised.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

use crate::report::Report;

/// The JSON Schema (draft 2020-12) of a [`Report`] in JSON. It allows members that it does not
/// know, since members may be added to a report.
#[must_use]
pub fn report_schema() -> Value {
    let settings = SchemaSettings::draft2020_12()
        .for_serialize()
        .with_transform(RecursiveTransform(describe_outside_of_rust));
    settings.into_generator().into_root_schema_for::<Report>().to_value()
}

/// Descriptions are the comments of the types: a link in one leads nowhere outside of Rust, and its
/// lines end where those of the code do.
fn describe_outside_of_rust(schema: &mut Schema) {
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = description.replace("[`", "`").replace("`]", "`").replace('\n', " ");
    }
}

/// A `SEQ:HASH`, for the schema alone.
#[derive(JsonSchema)]
#[schemars(inline)]
pub(crate) struct Head(
    #[schemars(regex(pattern = "^(0|[1-9][0-9]{0,15}):[0-9a-f]{64}$"))]
    #[expect(dead_code, reason = "the type says what text looks like, and holds none")]
    String,
);

/// 32 bytes in base64, for the schema alone.
#[derive(JsonSchema)]
#[schemars(inline)]
pub(crate) struct Root(
    #[schemars(regex(pattern = "^[A-Za-z0-9+/]{43}=$"))]
    #[expect(dead_code, reason = "the type says what text looks like, and holds none")]
    String,
);
