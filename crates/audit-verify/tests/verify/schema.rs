//! The JSON Schema of the report.

use audit_verify::report_schema;
use serde_json::Value;

/// Shows every description in a schema.
fn descriptions(schema: &Value, visit: &mut dyn FnMut(&str)) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::String(description)) = members.get("description") {
                visit(description);
            }
            members.values().for_each(|member| descriptions(member, visit));
        }
        Value::Array(items) => items.iter().for_each(|item| descriptions(item, visit)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn the_schema_of_the_report_describes_its_members_without_links_of_rust() {
    let schema = report_schema();
    assert_eq!(schema["title"], "VerifyReport");
    assert_eq!(schema["properties"]["records"]["type"], "integer");
    let mut seen = 0;
    descriptions(&schema, &mut |description| {
        seen += 1;
        let is_plain = !description.contains("[`") && !description.contains('\n');
        assert!(is_plain, "{description}");
    });
    assert!(seen > 20, "{seen}");
}
