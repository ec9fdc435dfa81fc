//! Waiting for something that cannot be interrupted, and not for ever. Nothing is ended here: what takes too long goes on by itself.

use std::sync::mpsc::sync_channel;
use std::time::Duration;

/// The answer of `work`, unless it takes longer than `limit`. An answer that comes too late goes to `too_late`, in the thread that gave it.
pub(super) fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
    too_late: impl FnOnce(T) + Send + 'static,
) -> Option<T> {
    // Without room in between: an answer is either taken here or refused there.
    let (send, receive) = sync_channel(0);
    let thread = std::thread::Builder::new().spawn(move || {
        if let Err(refused) = send.send(work()) {
            too_late(refused.0);
        }
    });
    thread.ok().and_then(|_| receive.recv_timeout(limit).ok())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::within;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    #[test]
    fn an_answer_is_taken_in_time_or_handed_over_too_late() {
        let (send, late) = channel();
        let other = send.clone();
        assert_eq!(within(Duration::from_secs(60), || 1, move |answer| send.send(answer).unwrap()), Some(1));
        let (begin, wait) = channel();
        let slow = move || {
            let _ = wait.recv();
            2
        };
        assert_eq!(within(Duration::from_millis(20), slow, move |answer| other.send(answer).unwrap()), None);
        let _ = begin.send(());
        assert_eq!(late.recv(), Ok(2));
        // Nothing else came.
        assert!(late.recv().is_err());
    }
}
