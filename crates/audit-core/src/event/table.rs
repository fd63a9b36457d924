//! The event table: each event, once.

use std::borrow::Cow;

use super::value::{ActorInfo, AuditResult, IpText, ResourceInfo, Severity};
use super::{Criticality, EventName, Json, Object, Text, TextList};
use crate::event_table;
use crate::time::EventTime;

event_table! {
    /// What a caller reports. [`AuditEvent::TABLE`] lists them with their members.
    enum AuditEvent;

    Authentication {
        /// Someone proved who they are.
        Routine AuthSuccess = "auth_success" {
            actor: ActorInfo<'a>, method: Text<'a>, path: Text<'a>, service_id: Text<'a>,
        }
        /// Someone did not prove who they are.
        Critical AuthFailure = "auth_failure" {
            attempted_user: Option<Text<'a>>, reason: Text<'a>, ip: IpText<'a>, path: Text<'a>,
            service_id: Text<'a>,
        }
        /// A token was issued.
        Routine TokenCreated = "token_created" {
            actor: ActorInfo<'a>, token_fingerprint: Text<'a>, scope: TextList<'a>,
            expires_at: Option<EventTime>,
        }
        /// A token was withdrawn.
        Critical TokenRevoked = "token_revoked" {
            actor: ActorInfo<'a>, token_fingerprint: Text<'a>, reason: Text<'a>,
        }
    }

    Authorization {
        /// Someone was allowed to do something.
        Routine AuthorizationGranted = "authorization_granted" {
            actor: ActorInfo<'a>, resource: ResourceInfo<'a>, action: Text<'a>,
        }
        /// Someone was not allowed to do something.
        Routine AuthorizationDenied = "authorization_denied" {
            actor: ActorInfo<'a>, resource: ResourceInfo<'a>, action: Text<'a>, reason: Text<'a>,
        }
        /// What someone may do was changed.
        Routine PermissionChanged = "permission_changed" {
            actor: ActorInfo<'a>, subject: Text<'a>, old_permissions: TextList<'a>,
            new_permissions: TextList<'a>,
        }
    }

    Resource {
        /// A pool was made.
        Routine PoolCreated = "pool_created" {
            actor: ActorInfo<'a>, pool_id: Text<'a>, model_ref: Text<'a>, node_id: Text<'a>,
            replicas: u32, gpu_devices: Cow<'a, [u32]>,
        }
        /// A pool was removed.
        Routine PoolDeleted = "pool_deleted" {
            actor: ActorInfo<'a>, pool_id: Text<'a>, model_ref: Text<'a>, node_id: Text<'a>,
            reason: Text<'a>, replicas_terminated: u32,
        }
        /// A pool was changed.
        Routine PoolModified = "pool_modified" {
            actor: ActorInfo<'a>, pool_id: Text<'a>, changes: Json<'a>,
        }
        /// A node joined.
        Routine NodeRegistered = "node_registered" {
            actor: ActorInfo<'a>, node_id: Text<'a>, gpu_count: u32, total_vram_gb: u64,
            capabilities: TextList<'a>,
        }
        /// A node left.
        Routine NodeDeregistered = "node_deregistered" {
            actor: ActorInfo<'a>, node_id: Text<'a>, reason: Text<'a>, pools_affected: TextList<'a>,
        }
        /// A task was handed in.
        Routine TaskSubmitted = "task_submitted" {
            actor: ActorInfo<'a>, task_id: Text<'a>, model_ref: Text<'a>, prompt_length: u64,
            prompt_hash: Text<'a>, max_tokens: u32,
        }
        /// A task ended.
        Routine TaskCompleted = "task_completed" {
            task_id: Text<'a>, worker_id: Text<'a>, tokens_generated: u32, duration_ms: u64,
            result: AuditResult<'a>,
        }
        /// A task was withdrawn.
        Routine TaskCanceled = "task_canceled" {
            actor: ActorInfo<'a>, task_id: Text<'a>, reason: Text<'a>,
        }
    }

    Vram {
        /// Memory was sealed with its digest.
        Routine VramSealed = "vram_sealed" {
            shard_id: Text<'a>, gpu_device: u32, vram_bytes: u64, digest: Text<'a>,
            worker_id: Text<'a>,
        }
        /// A seal was checked and held.
        Routine SealVerified = "seal_verified" { shard_id: Text<'a>, worker_id: Text<'a>, }
        /// A seal was checked and did not hold.
        Critical SealVerificationFailed = "seal_verification_failed" {
            shard_id: Text<'a>, reason: Text<'a>, expected_digest: Text<'a>,
            actual_digest: Text<'a>, worker_id: Text<'a>, severity: Severity<'a>,
        }
        /// Memory was taken.
        Routine VramAllocated = "vram_allocated" {
            requested_bytes: u64, allocated_bytes: u64, available_bytes: u64, used_bytes: u64,
            gpu_device: u32, worker_id: Text<'a>,
        }
        /// Memory could not be taken.
        Routine VramAllocationFailed = "vram_allocation_failed" {
            requested_bytes: u64, available_bytes: u64, reason: Text<'a>, gpu_device: u32,
            worker_id: Text<'a>,
        }
        /// Memory was given back.
        Routine VramDeallocated = "vram_deallocated" {
            shard_id: Text<'a>, freed_bytes: u64, remaining_used: u64, gpu_device: u32,
            worker_id: Text<'a>,
        }
    }

    Security {
        /// A limit on the rate of requests was passed.
        Routine RateLimitExceeded = "rate_limit_exceeded" {
            ip: IpText<'a>, endpoint: Text<'a>, limit: u32, actual: u32, window_seconds: u32,
        }
        /// A path pointed outside of what may be reached.
        Critical PathTraversalAttempt = "path_traversal_attempt" {
            actor: ActorInfo<'a>, attempted_path: Text<'a>, endpoint: Text<'a>,
        }
        /// A token that is not valid was presented.
        Critical InvalidTokenUsed = "invalid_token_used" {
            ip: IpText<'a>, token_prefix: Text<'a>, endpoint: Text<'a>,
        }
        /// A policy was broken.
        Critical PolicyViolation = "policy_violation" {
            policy: Text<'a>, violation: Text<'a>, details: Text<'a>, severity: Severity<'a>,
            worker_id: Text<'a>, action_taken: Text<'a>,
        }
        /// Something looks like an attack.
        Critical SuspiciousActivity = "suspicious_activity" {
            actor: ActorInfo<'a>, activity_type: Text<'a>, details: Text<'a>, risk_score: u32,
        }
        /// Something is not what its hash says.
        Critical IntegrityViolation = "integrity_violation" {
            resource_type: Text<'a>, resource_id: Text<'a>, expected_hash: Text<'a>,
            actual_hash: Text<'a>, severity: Severity<'a>, action_taken: Text<'a>,
            worker_id: Option<Text<'a>>,
        }
        /// A model was refused because of its form.
        Critical MalformedModelRejected = "malformed_model_rejected" {
            model_ref: Text<'a>, validation_error: Text<'a>, severity: Severity<'a>,
            action_taken: Text<'a>, worker_id: Option<Text<'a>>,
        }
        /// A limit on a resource was passed.
        Critical ResourceLimitViolation = "resource_limit_violation" {
            resource_type: Text<'a>, limit_type: Text<'a>, limit_value: u64, actual_value: u64,
            severity: Severity<'a>, action_taken: Text<'a>, worker_id: Option<Text<'a>>,
        }
    }

    DataAccess {
        /// A model answered for a customer.
        Routine InferenceExecuted = "inference_executed" {
            customer_id: Text<'a>, job_id: Text<'a>, model_ref: Text<'a>, tokens_processed: u32,
            provider_id: Option<Text<'a>>, result: AuditResult<'a>,
        }
        /// A model was read.
        Routine ModelAccessed = "model_accessed" {
            customer_id: Text<'a>, model_ref: Text<'a>, access_type: Text<'a>,
            provider_id: Option<Text<'a>>,
        }
        /// A customer's data was deleted.
        Routine DataDeleted = "data_deleted" {
            customer_id: Text<'a>, data_types: TextList<'a>, reason: Text<'a>,
        }
    }

    Compliance {
        /// A person asked what is known of them (GDPR Art. 15).
        Routine GdprDataAccessRequest = "gdpr_data_access_request" {
            customer_id: Text<'a>, requester: Text<'a>, scope: TextList<'a>,
        }
        /// A person's data was handed out (GDPR Art. 20).
        Routine GdprDataExport = "gdpr_data_export" {
            customer_id: Text<'a>, data_types: TextList<'a>, export_format: Text<'a>,
            file_hash: Text<'a>,
        }
        /// A person's data was erased (GDPR Art. 17).
        Routine GdprRightToErasure = "gdpr_right_to_erasure" {
            customer_id: Text<'a>, completed_at: EventTime, data_types_deleted: TextList<'a>,
        }
    }

    Custom {
        /// What a service defines for itself.
        Stated Custom = "custom" [name: EventName<'a>] {
            critical: bool, actor: Option<ActorInfo<'a>>, resource: Option<ResourceInfo<'a>>,
            attributes: Object<'a>,
        }
    }
}

/// Whether an event of this type is critical; `stated` tells what its `critical` member says, and
/// is asked only where that decides.
#[must_use]
pub fn is_critical_type(event_type: &str, stated: impl FnOnce() -> bool) -> bool {
    let row = AuditEvent::TABLE.iter().find(|row| row.event_type == event_type);
    match row.map(|row| row.criticality) {
        Some(Criticality::Critical) => true,
        Some(Criticality::Stated) => stated(),
        Some(Criticality::Routine) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_events_are_critical_and_these_are_their_names() {
        let critical: Vec<_> = AuditEvent::TABLE
            .iter()
            .filter(|row| row.criticality == Criticality::Critical)
            .map(|row| row.event_type)
            .collect();
        assert_eq!(
            critical,
            [
                "auth_failure",
                "token_revoked",
                "seal_verification_failed",
                "path_traversal_attempt",
                "invalid_token_used",
                "policy_violation",
                "suspicious_activity",
                "integrity_violation",
                "malformed_model_rejected",
                "resource_limit_violation",
            ]
        );
        let stated: Vec<_> = AuditEvent::TABLE
            .iter()
            .filter(|row| row.criticality == Criticality::Stated)
            .map(|row| row.event_type)
            .collect();
        assert_eq!(stated, ["custom"]);
    }

    #[test]
    fn each_type_stands_in_the_table_once() {
        let mut types: Vec<_> = AuditEvent::TABLE.iter().map(|row| row.event_type).collect();
        types.sort_unstable();
        types.dedup();
        assert_eq!(types.len(), AuditEvent::TABLE.len());
        assert_eq!(types.len(), 36);
    }

    #[test]
    fn a_name_and_an_event_agree_on_what_is_critical() {
        assert!(is_critical_type("auth_failure", || false));
        assert!(!is_critical_type("auth_success", || true));
        assert!(is_critical_type("custom", || true));
        assert!(!is_critical_type("custom", || false));
        assert!(!is_critical_type("never_heard_of", || true));
    }
}
