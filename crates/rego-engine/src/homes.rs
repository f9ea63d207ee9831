//! Where a pool's free instances are: each in a place of its own, to which it returns.

use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_queue::ArrayQueue;

/// A place for one guest. Apart from its neighbours by more than processors fetch at a time, so that threads with
/// places of their own do not slow each other down.
#[repr(align(128))]
struct Home<T>(ArrayQueue<Apart<Lodging<T>>>);

/// The queue keeps its guest elsewhere, where the same holds.
#[repr(align(128))]
struct Apart<T>(T);

/// Where a guest stays, at home and out: coming and going moves an address.
type Lodging<T> = Box<Apart<T>>;

/// As many places as there may be guests. Nothing here waits.
pub(crate) struct Homes<T> {
    homes: Box<[Home<T>]>,
    /// The places whose guests are yet to be made.
    vacant: ArrayQueue<usize>,
}

/// A place whose guest is yet to be made; vacant again when that comes to nothing.
pub(crate) struct Vacancy<'h, T> {
    homes: &'h Homes<T>,
    number: Option<usize>,
}

/// A guest who is out. One that does not return, since a panic took it away, leaves a vacancy.
pub(crate) struct Guest<'h, T> {
    guest: Lodging<T>,
    home: Vacancy<'h, T>,
}

/// The number of this thread, which begins its search at a place of its own.
fn thread_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static NUMBER: usize = NEXT.fetch_add(1, Ordering::Relaxed));
    NUMBER.try_with(|number| *number).unwrap_or(0)
}

impl<T> Homes<T> {
    /// Places for `size` guests, none of whom is made.
    pub(crate) fn new(size: usize) -> Self {
        let vacant = ArrayQueue::new(size.max(1));
        for number in 0..size {
            // The queue has room for all of them.
            let _ = vacant.push(number);
        }
        Self { homes: (0..size).map(|_| Home(ArrayQueue::new(1))).collect(), vacant }
    }

    /// A guest who is at home; the one whom this thread had before, if it can be.
    pub(crate) fn take(&self) -> Option<Guest<'_, T>> {
        let start = thread_number().checked_rem(self.homes.len())?;
        let (before, after) = self.homes.split_at_checked(start)?;
        let numbers = (start..).zip(after).chain((0..).zip(before));
        let (number, guest) = numbers
            .filter(|(_, home)| !home.0.is_empty())
            .find_map(|(number, home)| Some((number, home.0.pop()?.0)))?;
        Some(Guest { guest, home: Vacancy { homes: self, number: Some(number) } })
    }

    /// A place for one guest more.
    pub(crate) fn vacancy(&self) -> Option<Vacancy<'_, T>> {
        let number = self.vacant.pop()?;
        Some(Vacancy { homes: self, number: Some(number) })
    }

    /// Lets a guest return.
    pub(crate) fn put(&self, guest: Guest<'_, T>) {
        let Guest { guest, mut home } = guest;
        let place = home.number.take().and_then(|number| self.homes.get(number));
        if let Some(place) = place {
            // INVARIANT: nobody else returns to this place, so it is free.
            let _ = place.0.push(Apart(guest));
        }
    }
}

impl<'h, T> Vacancy<'h, T> {
    /// The guest is made.
    pub(crate) fn settle(self, guest: T) -> Guest<'h, T> {
        Guest { guest: Box::new(Apart(guest)), home: self }
    }
}

impl<T> Drop for Vacancy<'_, T> {
    fn drop(&mut self) {
        if let Some(number) = self.number.take() {
            // There is room for every number, and each is in use once.
            let _ = self.homes.vacant.push(number);
        }
    }
}

impl<T> Guest<'_, T> {
    /// The guest.
    pub(crate) fn get(&mut self) -> &mut T {
        &mut self.guest.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_finds_the_guest_it_had() {
        let homes = Homes::new(3);
        for guest in ["a", "b", "c"] {
            homes.put(homes.vacancy().unwrap().settle(guest));
        }
        assert!(homes.vacancy().is_none());
        let take = || {
            let mut guest = homes.take().unwrap();
            let name = *guest.get();
            homes.put(guest);
            name
        };
        let first = take();
        assert!((0..10).all(|_| take() == first));
        let held = homes.take().unwrap();
        assert_ne!(take(), first);
        homes.put(held);
        assert_eq!(take(), first);
    }

    #[test]
    fn whoever_is_lost_leaves_a_vacancy() {
        let homes = Homes::new(2);
        drop(homes.vacancy().unwrap());
        homes.put(homes.vacancy().unwrap().settle(1));
        homes.put(homes.vacancy().unwrap().settle(2));
        assert!(homes.vacancy().is_none());
        drop(homes.take().unwrap());
        homes.put(homes.vacancy().unwrap().settle(3));
        let (mut one, mut other) = (homes.take().unwrap(), homes.take().unwrap());
        assert!(homes.take().is_none() && homes.vacancy().is_none());
        assert_eq!(*one.get() + *other.get(), 5);
    }
}
