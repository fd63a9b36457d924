//! Records a login that fails, one that succeeds, and what was done then, into the log in the
//! directory given as argument. Prints the head of the log, to be kept elsewhere.

#![expect(clippy::print_stdout, reason = "an example shows what it did")]

use std::time::Duration;

use audit_log::writer::{Clock as _, SystemClock};
use audit_log::{
    ActorInfo, AuditConfig, AuditEvent, AuditLogger, AuthMethod, EventTime, ResourceInfo, ServiceId,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::args_os().nth(1).ok_or("usage: login DIR")?;
    let config = AuditConfig::local(ServiceId::new("bank.teller-1")?, dir);
    let log = AuditLogger::open(config.into())?;
    let clock = SystemClock::default();
    let now = || EventTime::from(clock.now());

    // Critical: on disk when emit returns, whatever the name of the user holds.
    log.emit(AuditEvent::AuthFailure {
        timestamp: now(),
        attempted_user: Some("alice\u{1b}[2K".into()),
        reason: "wrong password".into(),
        ip: "192.0.2.7".into(),
        path: "/login".into(),
        service_id: "bank.teller-1".into(),
    })?;
    let alice = || ActorInfo::new("alice", AuthMethod::BearerToken).at("192.0.2.7");
    log.emit(AuditEvent::AuthSuccess {
        timestamp: now(),
        actor: alice(),
        method: "password".into(),
        path: "/login".into(),
        service_id: "bank.teller-1".into(),
    })?;
    log.emit(AuditEvent::AuthorizationGranted {
        timestamp: now(),
        actor: alice(),
        resource: ResourceInfo {
            resource_type: "account".into(),
            resource_id: "NL00BANK0123456789".into(),
            parent_id: None,
        },
        action: "read".into(),
    })?;

    let head = log.shutdown(Duration::from_secs(5))?.ok_or("an empty log")?;
    println!("{head}");
    Ok(())
}
