//! What bodies may take of the memory, all together (invariant 13): a hundred answers without end must not end the program.

use domain::{Failure, FailureKind, Layer};
use tokio::sync::{Semaphore, SemaphorePermit};

/// What one place stands for, in bytes.
const PLACE: usize = 1024;

/// The first bytes of a body are always kept: health words and error messages are short, and in flight there are not more
/// than a permit allows.
pub(crate) const FREE: usize = 16 * 1024;

/// The memory that bodies share.
pub(crate) struct Memory(Semaphore);

/// The part of it that one body holds; given back when dropped.
#[derive(Default)]
pub(crate) struct Held<'a>(Option<SemaphorePermit<'a>>);

impl Memory {
    /// For so many bytes together.
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Semaphore::new((bytes / PLACE).min(Semaphore::MAX_PERMITS)))
    }

    /// Holds enough for a body of `bytes`, counting what is held already.
    pub(crate) fn hold<'a>(&'a self, held: &mut Held<'a>, bytes: usize) -> Result<(), Failure> {
        let has = held.0.as_ref().map_or(0, SemaphorePermit::num_permits);
        let wants = bytes.saturating_sub(FREE).div_ceil(PLACE).saturating_sub(has);
        if wants == 0 {
            return Ok(());
        }
        let more = u32::try_from(wants).ok().and_then(|wants| self.0.try_acquire_many(wants).ok());
        let Some(more) = more else {
            return Err(Failure {
                layer: Layer::Ours,
                kind: FailureKind::NoMemory,
                message: format!(
                    "the memory budget for bodies is used up: {bytes} bytes of this one came, and others are as large"
                ),
            });
        };
        match &mut held.0 {
            Some(held) => held.merge(more),
            None => held.0 = Some(more),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_share_what_there_is_and_give_it_back() {
        let memory = Memory::new(10 * PLACE);
        let (mut one, mut two, mut small) = (Held::default(), Held::default(), Held::default());
        memory.hold(&mut one, FREE + 5 * PLACE).unwrap();
        memory.hold(&mut one, FREE + 6 * PLACE).unwrap();
        memory.hold(&mut two, FREE + 4 * PLACE).unwrap();
        let failure = memory.hold(&mut two, FREE + 4 * PLACE + 1).unwrap_err();
        assert_eq!((failure.layer, failure.kind), (Layer::Ours, FailureKind::NoMemory));
        memory.hold(&mut small, FREE).unwrap();
        drop(one);
        memory.hold(&mut two, FREE + 10 * PLACE).unwrap();
        drop(two);
        assert_eq!(memory.0.available_permits(), 10);
    }
}
