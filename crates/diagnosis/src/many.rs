//! Many guides at once: reading one takes about a tenth of a millisecond, and there may be a thousand. Order is kept, so that nothing that is shown
//! depends on which core was faster.

use std::num::NonZeroUsize;

/// Also on fewer cores: while one thread waits for the disk, another can read on.
const AT_LEAST: usize = 4;
/// Fewer than this are not worth a thread of their own.
const WORTH_A_THREAD: usize = 16;

/// What `work` gives for each item, in the order of the items, on as many cores as there are.
pub fn on_every_core<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get).max(AT_LEAST);
    let each = items.len().div_ceil(threads).max(WORTH_A_THREAD);
    let mut parts = items.chunks(each);
    let own = parts.next().unwrap_or_default();
    std::thread::scope(|scope| {
        let others: Vec<_> = parts.map(|part| (part, scope.spawn(|| part.iter().map(&work).collect::<Vec<R>>()))).collect();
        let mut all: Vec<R> = own.iter().map(&work).collect();
        for (part, thread) in others {
            // A thread that ended early loses nothing: its part is done here.
            all.extend(thread.join().unwrap_or_else(|_| part.iter().map(&work).collect()));
        }
        all
    })
}

#[cfg(test)]
mod tests {
    use super::on_every_core;

    #[test]
    fn order_is_kept_whatever_the_number() {
        for count in [0, 1, 15, 16, 17, 33, 1000] {
            let numbers: Vec<usize> = (0..count).collect();
            assert_eq!(on_every_core(&numbers, |number| number * 2), numbers.iter().map(|number| number * 2).collect::<Vec<_>>());
        }
    }
}
