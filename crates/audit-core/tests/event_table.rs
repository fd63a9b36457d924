//! A member of an event that nothing walks does not compile, so no text can be forgotten.

#[test]
fn a_field_whose_type_has_no_walk_does_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/event_table/text_has_a_walk.rs");
    cases.compile_fail("tests/event_table/string_has_no_walk.rs");
}
