//! A line of a gibibyte, which no memory has to hold.

use std::ffi::OsStr;
use std::io;

use audit_verify::{Code, LogFile, LogSource, OpenError, Verdict, VerifyOptions, verify_source};

use crate::builder::{Builder, segment_name};

const LINE_BYTES: u64 = 1 << 30;

/// A log whose first segment goes on with such a line, and what stands before it.
#[derive(Debug)]
struct Huge(Vec<u8>);

impl LogSource for Huge {
    type File<'s> = &'s Self;

    fn visit_names(&self, visit: &mut dyn FnMut(&OsStr)) -> io::Result<()> {
        visit(OsStr::new(&segment_name(0)));
        Ok(())
    }

    fn open(&self, _: &str) -> Result<&Self, OpenError> {
        Ok(self)
    }

    fn visit_checkpoints(&self, _: &mut dyn FnMut(&OsStr)) -> Result<(), OpenError> {
        Ok(())
    }

    fn open_checkpoint(&self, _: &str) -> Result<&Self, OpenError> {
        Ok(self)
    }
}

impl LogFile for &Huge {
    fn size(&self) -> io::Result<u64> {
        Ok(self.0.len() as u64 + LINE_BYTES)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let begin = usize::try_from(offset).unwrap();
        let rest = usize::try_from(self.size()? - offset).unwrap();
        let length = buffer.len().min(rest);
        let head = self.0.get(begin..).unwrap_or_default();
        let copied = head.len().min(length);
        buffer[..copied].copy_from_slice(&head[..copied]);
        buffer[copied..length].fill(b'[');
        Ok(length)
    }
}

#[test]
fn a_line_of_a_gibibyte_is_one_finding() {
    let log = Builder::new();
    let source = Huge(log.files[&log.file].clone());
    let report = verify_source(&source, &VerifyOptions::default(), &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Tampered, "{report}");
    assert_eq!(report.findings_total, 1, "{report}");
    assert_eq!(report.findings[0].code, Code::LineTooLong, "{report}");
}
