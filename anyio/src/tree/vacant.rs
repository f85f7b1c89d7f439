//! Memory for a node that is made there.

#![expect(unsafe_code, reason = "std has no way to make a value where it stays")]

use std::mem::MaybeUninit;
use std::sync::Arc;

/// Memory on the heap for a value that is made there. `Arc::new` has it made elsewhere and moved, as it asks for memory when
/// it has the value. A node is large, so that this takes long.
pub(crate) struct Vacant<T>(Arc<MaybeUninit<T>>);

impl<T> Vacant<T> {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        Vacant(Arc::new(MaybeUninit::uninit()))
    }

    #[inline(always)]
    pub(crate) fn fill(self, value: T) -> Arc<T> {
        // SAFETY: nobody else has a reference to the memory, which is that of a `T`; and when it is said to be one, there is
        // one.
        unsafe {
            Arc::as_ptr(&self.0).cast_mut().cast::<T>().write(value);
            self.0.assume_init()
        }
    }
}
