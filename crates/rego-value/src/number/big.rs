//! Integers of any size, written for little code: every module that computes holds it, and few ever use it.
//!
//! Schoolbook multiplication, long division (Knuth, *The Art of Computer Programming*, volume 2, 4.3.1, algorithm D, with
//! the corrections of a digit made by adding back), a radix conversion that is quadratic. What a policy could make of that
//! is bounded by its deadline; no number that is read has more than a million digits without being a text of that size.

use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;

/// An integer of any size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BigInt {
    /// Never set for zero.
    negative: bool,
    magnitude: Magnitude,
}

/// A natural number: limbs of 32 bits, the lowest first.
///
/// INVARIANT: the last limb is not 0.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Magnitude(Vec<u32>);

impl Magnitude {
    pub(super) const ZERO: Magnitude = Magnitude(Vec::new());

    pub(super) fn new(mut value: u128) -> Magnitude {
        let mut limbs = Vec::with_capacity(4);
        while value != 0 {
            limbs.push(value as u32);
            value >>= 32;
        }
        Magnitude(limbs)
    }

    /// The number that these decimal digits show, the highest first.
    pub(super) fn from_digits(digits: impl Iterator<Item = u8>) -> Magnitude {
        let mut total = Magnitude::ZERO;
        let (mut chunk, mut scale) = (0, 1);
        for digit in digits {
            chunk = chunk * 10 + u32::from(digit);
            scale *= 10;
            if scale == 1_000_000_000 {
                total.multiply_add(scale, chunk);
                (chunk, scale) = (0, 1);
            }
        }
        total.multiply_add(scale, chunk);
        total
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    /// How many bits it has.
    pub(super) fn bits(&self) -> u64 {
        let top = self.0.last().map_or(0, |limb| limb.leading_zeros());
        self.0.len() as u64 * 32 - u64::from(top)
    }

    /// The lowest bits.
    pub(super) fn low(&self) -> u128 {
        self.0.iter().take(4).rev().fold(0, |low, limb| low << 32 | u128::from(*limb))
    }

    fn trimmed(mut self) -> Magnitude {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
        self
    }

    /// Multiplies and adds in place.
    #[inline(never)]
    pub(super) fn multiply_add(&mut self, factor: u32, add: u32) {
        let mut carry = u64::from(add);
        for limb in &mut self.0 {
            carry += u64::from(*limb) * u64::from(factor);
            *limb = carry as u32;
            carry >>= 32;
        }
        if carry != 0 {
            self.0.push(carry as u32);
        }
    }

    /// Divides in place by a divisor that is not 0, and gives the remainder.
    #[inline(never)]
    fn divide_small(&mut self, divisor: u32) -> u32 {
        let divisor = u64::from(divisor).max(1);
        let mut rest = 0;
        for limb in self.0.iter_mut().rev() {
            let part = rest << 32 | u64::from(*limb);
            *limb = (part / divisor) as u32;
            rest = part % divisor;
        }
        // At most one limb has become 0.
        if self.0.last() == Some(&0) {
            self.0.pop();
        }
        rest as u32
    }

    /// × 10^n.
    pub(super) fn times_ten_to(mut self, mut n: u32) -> Magnitude {
        while n > 0 && !self.is_zero() {
            let step = n.min(9);
            self.multiply_add(10u32.pow(step), 0);
            n -= step;
        }
        self
    }

    /// × 5^n.
    pub(super) fn times_five_to(mut self, mut n: u32) -> Magnitude {
        while n > 0 {
            let step = n.min(13);
            self.multiply_add(5u32.pow(step), 0);
            n -= step;
        }
        self
    }

    #[inline(never)]
    pub(super) fn shift_left(&self, bits: u64) -> Magnitude {
        if self.is_zero() {
            return Magnitude::ZERO;
        }
        let zeros = usize::try_from(bits / 32).unwrap_or(usize::MAX);
        let mut limbs = Vec::with_capacity(self.0.len().saturating_add(zeros).saturating_add(1));
        limbs.resize(zeros, 0);
        limbs.extend_from_slice(&self.0);
        let mut shifted = Magnitude(limbs);
        shifted.multiply_add(1 << (bits % 32), 0);
        shifted
    }

    /// Shifts, and says whether a bit that was set has been lost.
    #[inline(never)]
    pub(super) fn shift_right(&self, bits: u64) -> (Magnitude, bool) {
        let gone = usize::try_from(bits / 32).unwrap_or(usize::MAX).min(self.0.len());
        let (low, high) = self.0.split_at(gone);
        let mut shifted = Magnitude(high.to_vec());
        let lost = shifted.divide_small(1 << (bits % 32)) != 0;
        (shifted, lost || low.iter().any(|limb| *limb != 0))
    }

    #[inline(never)]
    fn compare(&self, other: &Magnitude) -> Ordering {
        let longer = self.0.len().cmp(&other.0.len());
        longer.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    #[inline(never)]
    fn plus(&self, other: &Magnitude) -> Magnitude {
        let len = self.0.len().max(other.0.len());
        let mut limbs = Vec::with_capacity(len + 1);
        let (mut a, mut b) = (self.0.iter(), other.0.iter());
        let mut carry = 0;
        // One place more than either has.
        for _ in 0..=len {
            carry += next(&mut a) + next(&mut b);
            limbs.push(carry as u32);
            carry >>= 32;
        }
        Magnitude(limbs).trimmed()
    }

    /// The difference to what is not larger.
    fn minus(&self, other: &Magnitude) -> Magnitude {
        let mut rest = self.clone();
        subtract(&mut rest.0, &other.0, 1);
        rest.trimmed()
    }

    #[inline(never)]
    pub(super) fn times(&self, other: &Magnitude) -> Magnitude {
        let mut product = alloc::vec![0; self.0.len() + other.0.len()];
        for (at, factor) in self.0.iter().enumerate() {
            if let Some(places) = product.get_mut(at..) {
                add(places, &other.0, *factor);
            }
        }
        Magnitude(product).trimmed()
    }

    /// Quotient and remainder; a divisor of 0 gives 0 and the number itself.
    #[inline(never)]
    pub(super) fn divide(&self, divisor: &Magnitude) -> (Magnitude, Magnitude) {
        let Some(top) = divisor.0.last().filter(|_| self.compare(divisor) != Ordering::Less) else {
            return (Magnitude::ZERO, self.clone());
        };
        // The divisor's top bit is set, so that a digit is guessed at most two too high.
        let shift = u64::from(top.leading_zeros());
        let divisor = divisor.shift_left(shift);
        let top = divisor.0.last().map_or(1, |top| u64::from(*top));
        let mut rest = self.shift_left(shift).0;
        rest.push(0);
        let len = divisor.0.len();
        let mut quotient = alloc::vec![0; rest.len().saturating_sub(len)];
        for (at, digit) in quotient.iter_mut().enumerate().rev() {
            let Some(part) = rest.get_mut(at..=at + len) else { continue };
            let [.., low, high] = *part else { continue };
            let guess = ((u64::from(high) << 32 | u64::from(low)) / top).min(u64::from(u32::MAX));
            *digit = guess as u32;
            let mut negative = subtract(part, &divisor.0, *digit);
            while negative {
                *digit -= 1;
                negative = !add(part, &divisor.0, 1);
            }
        }
        (Magnitude(quotient).trimmed(), Magnitude(rest).trimmed().shift_right(shift).0)
    }

    /// The digits, the lowest first.
    #[inline(never)]
    pub(super) fn digits(mut self, radix: u32) -> Vec<u8> {
        // As many digits at a time as one limb holds.
        let (mut chunk, mut places) = (radix, 1);
        while let Some(more) = chunk.checked_mul(radix) {
            (chunk, places) = (more, places + 1);
        }
        let mut digits = Vec::with_capacity(self.0.len() * 10);
        while !self.is_zero() {
            let mut part = self.divide_small(chunk);
            for _ in 0..places {
                digits.push((part % radix) as u8);
                part /= radix;
            }
        }
        while digits.last() == Some(&0) {
            digits.pop();
        }
        digits
    }
}

fn next(limbs: &mut core::slice::Iter<'_, u32>) -> u64 {
    limbs.next().map_or(0, |limb| u64::from(*limb))
}

/// Adds a multiple of a number in place; whether it carried out of the last place.
#[inline(never)]
fn add(places: &mut [u32], number: &[u32], factor: u32) -> bool {
    let mut number = number.iter();
    let mut carry = 0;
    for place in places {
        // At most (2^32 - 1)² + 2 (2^32 - 1), which is 2^64 - 1.
        carry += u64::from(*place) + next(&mut number) * u64::from(factor);
        *place = carry as u32;
        carry >>= 32;
        if carry == 0 && number.as_slice().is_empty() {
            return false;
        }
    }
    carry != 0
}

/// Subtracts a multiple of a number in place; whether the difference is negative.
#[inline(never)]
fn subtract(places: &mut [u32], number: &[u32], factor: u32) -> bool {
    let mut number = number.iter();
    let mut borrow = 0;
    for place in places {
        let (less, below) = place.overflowing_sub({
            borrow += next(&mut number) * u64::from(factor);
            borrow as u32
        });
        *place = less;
        borrow = (borrow >> 32) + u64::from(below);
        if borrow == 0 && number.as_slice().is_empty() {
            return false;
        }
    }
    borrow != 0
}

impl From<i64> for BigInt {
    fn from(int: i64) -> Self {
        BigInt::new(int < 0, Magnitude::new(u128::from(int.unsigned_abs())))
    }
}

impl BigInt {
    /// Zero.
    pub const ZERO: BigInt = BigInt { negative: false, magnitude: Magnitude::ZERO };

    pub(super) fn new(negative: bool, magnitude: Magnitude) -> BigInt {
        BigInt { negative: negative && !magnitude.is_zero(), magnitude }
    }

    /// An integer of limbs of 32 bits, the lowest first.
    #[must_use]
    pub fn from_limbs(negative: bool, limbs: Vec<u32>) -> BigInt {
        BigInt::new(negative, Magnitude(limbs).trimmed())
    }

    /// Whether it is below zero.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// Whether it is zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.magnitude.is_zero()
    }

    /// The limbs of 32 bits without the sign, the lowest first; none for zero.
    #[must_use]
    pub fn limbs(&self) -> &[u32] {
        &self.magnitude.0
    }

    /// The sum.
    #[must_use]
    pub fn plus(&self, other: &BigInt) -> BigInt {
        if self.negative == other.negative {
            return BigInt::new(self.negative, self.magnitude.plus(&other.magnitude));
        }
        match self.magnitude.compare(&other.magnitude) {
            Ordering::Less => BigInt::new(other.negative, other.magnitude.minus(&self.magnitude)),
            _ => BigInt::new(self.negative, self.magnitude.minus(&other.magnitude)),
        }
    }

    /// The difference.
    #[must_use]
    pub fn minus(&self, other: &BigInt) -> BigInt {
        self.plus(&other.negated())
    }

    /// With the other sign.
    #[must_use]
    pub fn negated(&self) -> BigInt {
        BigInt::new(!self.negative, self.magnitude.clone())
    }

    /// The product.
    #[must_use]
    pub fn times(&self, other: &BigInt) -> BigInt {
        BigInt::new(self.negative != other.negative, self.magnitude.times(&other.magnitude))
    }

    /// The remainder of the division towards zero, with the dividend's sign; that of a division by zero is the dividend.
    #[must_use]
    pub fn remainder(&self, divisor: &BigInt) -> BigInt {
        BigInt::new(self.negative, self.magnitude.divide(&divisor.magnitude).1)
    }

    /// × 2^bits.
    #[must_use]
    pub fn shift_left(&self, bits: u64) -> BigInt {
        BigInt::new(self.negative, self.magnitude.shift_left(bits))
    }

    /// ÷ 2^bits, rounded down.
    #[must_use]
    pub fn shift_right(&self, bits: u64) -> BigInt {
        let (shifted, lost) = self.magnitude.shift_right(bits);
        let shifted = BigInt::new(self.negative, shifted);
        if self.negative && lost { shifted.plus(&BigInt::from(-1)) } else { shifted }
    }

    /// A bitwise operation on both in two's complement; it is done on 32 bits at a time.
    #[must_use]
    pub fn bitwise(&self, other: &BigInt, operation: fn(u32, u32) -> u32) -> BigInt {
        let len = self.limbs().len().max(other.limbs().len()) + 1;
        let (mut a, mut b) = (self.complement(), other.complement());
        let mut limbs = Vec::with_capacity(len);
        for _ in 0..len {
            limbs.push(operation(a.next().unwrap_or(0), b.next().unwrap_or(0)));
        }
        // The last limb holds nothing but the sign.
        let negative = limbs.last().is_some_and(|limb| limb >> 31 == 1);
        if negative {
            let this = BigInt { negative, magnitude: Magnitude(limbs) };
            limbs = this.complement().take(len).collect();
        }
        BigInt::from_limbs(negative, limbs)
    }

    /// The limbs in two's complement, without an end.
    fn complement(&self) -> impl Iterator<Item = u32> {
        let flip = if self.negative { u32::MAX } else { 0 };
        let mut carry = self.negative;
        self.limbs().iter().copied().chain(core::iter::repeat(0)).map(move |limb| {
            let (limb, over) = (limb ^ flip).overflowing_add(u32::from(carry));
            carry = over;
            limb
        })
    }

    /// The lowest 64 bits without the sign.
    #[must_use]
    pub fn low_bits(&self) -> u64 {
        self.magnitude.low() as u64
    }

    /// The text to a base from 2 to 36.
    #[must_use]
    pub fn to_radix(&self, radix: u32) -> String {
        let mut text = String::new();
        if self.negative {
            text.push('-');
        }
        if self.is_zero() {
            text.push('0');
        }
        let digits = self.magnitude.clone().digits(radix);
        text.extend(
            digits.iter().rev().map(|digit| char::from(if *digit < 10 { b'0' } else { b'a' - 10 } + digit)),
        );
        text
    }
}

impl Ord for BigInt {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.magnitude.compare(&other.magnitude),
            (true, true) => other.magnitude.compare(&self.magnitude),
            (negative, _) => {
                if negative {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
        }
    }
}

impl PartialOrd for BigInt {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
