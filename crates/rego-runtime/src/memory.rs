//! The linear memory: the only place with `unsafe`.
//!
//! Inside a module an address is a pointer. Natively the same code runs over an arena of the thread's own, so that unit
//! tests and fuzzers exercise what the module does: an address is an offset into it, and every access is checked.
//!
//! What the safety of this file rests on:
//! - An address handed to [`bytes`] or to a load comes from [`alloc`], from a constant or from the host, and the range
//!   lies inside the memory. Inside a module Wasm itself checks every access (a violation traps); natively [`pointer`]
//!   does.
//! - A slice from [`bytes`] covers a text or a table that nobody writes to while the slice is in use: texts are written
//!   once, when they are made. Tables are read and written word by word and never borrowed.
//! - One thread: a module has one, and natively the state belongs to the thread.
#![expect(unsafe_code, reason = "the linear memory is raw memory; the invariants are stated above")]

use core::cell::Cell;

/// Where the heap is.
struct Heap {
    /// The next free address.
    top: Cell<u32>,
    /// The end of the memory that there is.
    end: Cell<u32>,
    /// What else must survive between calls; see [`state`].
    words: [Cell<u32>; STATE_WORDS],
}

/// How many words of state there are.
const STATE_WORDS: usize = 2;

impl Heap {
    /// Nothing is zero, so that it is initialised data: what is not would need a start function in an imported memory.
    const fn new() -> Heap {
        Heap { top: Cell::new(8), end: Cell::new(8), words: [const { Cell::new(8) }; STATE_WORDS] }
    }
}

#[cfg(target_arch = "wasm32")]
mod place {
    use super::Heap;

    pub(super) const PAGE: u32 = 65_536;

    struct Single(Heap);
    // SAFETY: a module has one thread.
    unsafe impl Sync for Single {}

    static HEAP: Single = Single(Heap::new());

    #[inline(always)]
    pub(super) fn with<R>(use_heap: impl FnOnce(&Heap) -> R) -> R {
        use_heap(&HEAP.0)
    }

    #[inline(always)]
    pub(super) fn pointer(address: u32, _len: u32) -> *mut u8 {
        address as *mut u8
    }

    /// Makes memory up to `end` exist; the new end, or `None` where the host refuses.
    pub(super) fn grow(end: u32, old: u32) -> Option<u32> {
        let pages = (end - old).div_ceil(PAGE);
        // Some more than asked for, so that a growing heap does not ask for each page.
        let generous = pages.max(old / PAGE / 4);
        for pages in [generous, pages] {
            let before = core::arch::wasm32::memory_grow(0, pages as usize);
            if before != usize::MAX {
                return Some(old.saturating_add(pages * PAGE));
            }
        }
        None
    }

    pub(super) fn size() -> u32 {
        (core::arch::wasm32::memory_size(0) as u32).saturating_mul(PAGE)
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod place {
    extern crate std;
    use super::Heap;
    use std::boxed::Box;
    use std::vec;

    /// As much as a test needs.
    const ARENA: usize = 256 << 20;
    /// Nothing lies below, so that a small number is no address.
    pub(super) const BASE: u32 = 1024;

    struct Arena {
        heap: Heap,
        base: *mut u8,
    }

    std::thread_local! {
        static ARENA_OF_THREAD: Arena = Arena {
            heap: {
                let heap = Heap::new();
                heap.top.set(BASE);
                heap.end.set(ARENA as u32);
                heap
            },
            // Leaked: pages that are not touched cost nothing, and slices of it may outlive the thread's end.
            base: Box::leak(vec![0u8; ARENA].into_boxed_slice()).as_mut_ptr(),
        };
    }

    pub(super) fn with<R>(use_heap: impl FnOnce(&Heap) -> R) -> R {
        ARENA_OF_THREAD.with(|arena| use_heap(&arena.heap))
    }

    pub(super) fn pointer(address: u32, len: u32) -> *mut u8 {
        assert!(
            address >= BASE && address as usize + len as usize <= ARENA,
            "access outside the memory: {address} + {len}"
        );
        // SAFETY: in bounds, as just checked.
        ARENA_OF_THREAD.with(|arena| unsafe { arena.base.add(address as usize) })
    }

    pub(super) fn grow(_end: u32, _old: u32) -> Option<u32> {
        None
    }

    pub(super) fn size() -> u32 {
        ARENA as u32
    }
}

/// A word of the state that survives between calls; natively it belongs to the thread.
#[inline]
pub(crate) fn state(word: usize) -> u32 {
    place::with(|heap| heap.words.get(word).map_or(0, Cell::get))
}

/// Sets a word of the state.
#[inline]
pub(crate) fn set_state(word: usize, value: u32) {
    place::with(|heap| {
        if let Some(cell) = heap.words.get(word) {
            cell.set(value);
        }
    });
}

/// Sets the beginning of the heap, and finds out how much memory there is.
pub(crate) fn init(base: u32) {
    place::with(|heap| {
        heap.top.set(rego_value::abi::align_up(base));
        heap.end.set(place::size());
    });
}

/// The next free address.
#[inline]
pub(crate) fn heap_top() -> u32 {
    place::with(|heap| heap.top.get())
}

/// Frees all from `top` on.
#[inline]
pub(crate) fn set_heap_top(top: u32) {
    place::with(|heap| heap.top.set(rego_value::abi::align_up(top)));
}

/// So many bytes, aligned to 8, with any content. Aborts where the memory cannot grow.
#[inline]
pub(crate) fn alloc(size: u32) -> u32 {
    match try_alloc(size) {
        Some(address) => address,
        None => crate::abort("out of memory"),
    }
}

/// Sees to it that there is memory up to an address, whatever of it is in use. Aborts where it cannot grow.
#[inline]
pub(crate) fn ensure(end: u32) {
    place::with(|heap| {
        if end > heap.end.get() && grow(heap, end).is_none() {
            crate::abort("out of memory")
        }
    });
}

#[inline]
fn try_alloc(size: u32) -> Option<u32> {
    place::with(|heap| {
        let start = heap.top.get();
        let end = start.checked_add(size.checked_add(7)? & !7)?;
        if end > heap.end.get() {
            grow(heap, end)?;
        }
        heap.top.set(end);
        Some(start)
    })
}

#[cold]
#[inline(never)]
fn grow(heap: &Heap, end: u32) -> Option<()> {
    // The host may have grown the memory itself.
    let size = place::size();
    heap.end.set(size);
    if end > size {
        heap.end.set(place::grow(end, size)?);
    }
    Some(())
}

/// Gives back what was allocated last; anything else stays until the heap is rewound.
#[cfg(target_arch = "wasm32")]
#[inline]
pub(crate) fn free(address: u32, size: u32) {
    place::with(|heap| {
        if address.wrapping_add(size.wrapping_add(7) & !7) == heap.top.get() {
            heap.top.set(address);
        }
    });
}

macro_rules! access {
    ($load:ident, $store:ident, $type:ty) => {
        #[doc = concat!("Reads a `", stringify!($type), "`.")]
        #[inline(always)]
        pub(crate) fn $load(address: u32) -> $type {
            // SAFETY: see the file's invariants; any bits are a value of the type.
            unsafe { place::pointer(address, size_of::<$type>() as u32).cast::<$type>().read_unaligned() }
        }

        #[doc = concat!("Writes a `", stringify!($type), "`.")]
        #[inline(always)]
        pub(crate) fn $store(address: u32, value: $type) {
            // SAFETY: see the file's invariants; nobody holds a reference to what is written.
            unsafe {
                place::pointer(address, size_of::<$type>() as u32).cast::<$type>().write_unaligned(value)
            }
        }
    };
}
access!(load_u8, store_u8, u8);
access!(load_u32, store_u32, u32);
access!(load_u64, store_u64, u64);

/// A text's bytes, or what the host has written.
#[inline(always)]
pub(crate) fn bytes(address: u32, len: u32) -> &'static [u8] {
    if len == 0 {
        return &[];
    }
    // SAFETY: see the file's invariants.
    unsafe { core::slice::from_raw_parts(place::pointer(address, len), len as usize) }
}

/// The same as text: what the layout calls a string or a number's text is always UTF-8.
#[inline(always)]
pub(crate) fn text(address: u32, len: u32) -> &'static str {
    // SAFETY: texts are made from `&str` or from bytes that the reader of JSON has checked, and constants by the
    // compiler from `&str`.
    unsafe { core::str::from_utf8_unchecked(bytes(address, len)) }
}

/// Copies bytes to an address.
#[inline]
pub(crate) fn write(address: u32, bytes: &[u8]) {
    let (words, rest) = bytes.as_chunks::<8>();
    if words.len() > 32 {
        // SAFETY: see the file's invariants; what is written to has just been allocated, so that it cannot overlap.
        unsafe {
            let target = place::pointer(address, bytes.len() as u32);
            core::ptr::copy_nonoverlapping(bytes.as_ptr(), target, bytes.len());
        }
        return;
    }
    // Short texts are the rule, and a call of the host's `memory.copy` costs more than their words.
    let mut at = address;
    for word in words {
        store_u64(at, u64::from_le_bytes(*word));
        at += 8;
    }
    for byte in rest {
        store_u8(at, *byte);
        at += 1;
    }
}

/// Copies words of four bytes from one place to another that it does not overlap.
#[inline]
pub(crate) fn copy_words(target: u32, source: u32, count: u32) {
    for word in 0..count {
        store_u32(target + word * 4, load_u32(source + word * 4));
    }
}

#[cfg(target_arch = "wasm32")]
mod global {
    use core::alloc::{GlobalAlloc, Layout};

    struct Bump;

    // SAFETY: blocks come from `try_alloc`, do not overlap, are aligned to 8 (nothing here asks for more, and what did
    // would be refused), and stay until they are freed or the heap is rewound between calls, when no block is in use.
    unsafe impl GlobalAlloc for Bump {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            if layout.align() > 8 {
                return core::ptr::null_mut();
            }
            super::try_alloc(layout.size() as u32).map_or(core::ptr::null_mut(), |address| address as *mut u8)
        }

        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            super::free(block as u32, layout.size() as u32);
        }

        unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
            let address = block as u32;
            let old = (layout.size() as u32).wrapping_add(7) & !7;
            if address.wrapping_add(old) == super::heap_top() {
                super::set_heap_top(address);
                if super::try_alloc(size as u32).is_some() {
                    return block;
                }
                super::set_heap_top(address + old);
                return core::ptr::null_mut();
            }
            if size <= layout.size() {
                return block;
            }
            // SAFETY: the caller's layout with the new size; the new block is at least as large as the old one.
            unsafe {
                let new = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
                if !new.is_null() {
                    core::ptr::copy_nonoverlapping(block, new, layout.size());
                }
                new
            }
        }
    }

    #[global_allocator]
    static ALLOCATOR: Bump = Bump;
}
