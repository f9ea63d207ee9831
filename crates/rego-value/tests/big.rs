//! Our integers of any size beside those of the crate `num-bigint`, on generated ones.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use num_bigint::{BigInt as Theirs, Sign};
use rego_value::Number;
use rego_value::number::BigInt;

/// `REGO_VALUE_SEED` repeats a run; `REGO_VALUE_CASES` lengthens it.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        // SplitMix64 (Steele, Lea and Flood, 2014).
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// Limbs at random, and often those with which carries and guesses go wrong.
    fn limbs(&mut self) -> Vec<u32> {
        let len = if self.below(50) == 0 { self.below(60) } else { self.below(6) };
        (0..len)
            .map(|_| match self.below(5) {
                0 => 0,
                1 => u32::MAX,
                2 => 1 << self.below(32),
                3 => u32::MAX << self.below(32),
                _ => self.next() as u32,
            })
            .collect()
    }

    fn pair(&mut self) -> (BigInt, Theirs) {
        let (negative, limbs) = (self.below(2) == 1, self.limbs());
        let sign = if negative { Sign::Minus } else { Sign::Plus };
        (BigInt::from_limbs(negative, limbs.clone()), Theirs::from_slice(sign, &limbs))
    }
}

fn check(what: &str, ours: &BigInt, theirs: &Theirs, operands: &[&Theirs]) {
    assert_eq!(ours.to_radix(10), theirs.to_string(), "{what} of {operands:?}");
    let limbs: Vec<u32> = theirs.iter_u32_digits().collect();
    assert_eq!(
        (ours.is_negative(), ours.limbs()),
        (theirs.sign() == Sign::Minus, limbs.as_slice()),
        "{what}"
    );
}

#[test]
fn as_num_bigint() {
    let seed = setting("REGO_VALUE_SEED", 1);
    let cases = setting("REGO_VALUE_CASES", 20_000);
    println!("REGO_VALUE_SEED={seed} REGO_VALUE_CASES={cases}");
    let mut random = Random(seed);
    for _ in 0..cases {
        let ((a, x), (b, y)) = (random.pair(), random.pair());
        let both = [&x, &y];
        check("itself", &a, &x, &both);
        check("sum", &a.plus(&b), &(&x + &y), &both);
        check("difference", &a.minus(&b), &(&x - &y), &both);
        check("product", &a.times(&b), &(&x * &y), &both);
        if !b.is_zero() {
            check("remainder", &a.remainder(&b), &(&x % &y), &both);
            // Where the guessed digits are wrong: a multiple of the divisor, and one less.
            let (multiple, theirs) = (a.times(&b), &x * &y);
            check("no remainder", &multiple.remainder(&b), &Theirs::ZERO, &both);
            let (less, theirs) = (multiple.minus(&BigInt::from(1)), theirs - 1);
            check("remainder of a multiple less one", &less.remainder(&b), &(&theirs % &y), &both);
        }
        assert_eq!(a.cmp(&b), x.cmp(&y), "{both:?}");
        let bits = random.below(200);
        check("left shift", &a.shift_left(bits), &(&x << bits), &both);
        check("right shift", &a.shift_right(bits), &(&x >> bits), &both);
        check("and", &a.bitwise(&b, |a, b| a & b), &(&x & &y), &both);
        check("or", &a.bitwise(&b, |a, b| a | b), &(&x | &y), &both);
        check("xor", &a.bitwise(&b, |a, b| a ^ b), &(&x ^ &y), &both);
        let radix = [2, 8, 10, 16, 36][random.below(5) as usize];
        assert_eq!(a.to_radix(radix), x.to_str_radix(radix));
        let read = Number::parse(&x.to_string()).unwrap().to_bigint().unwrap();
        check("reading", &read, &x, &both);
    }
}

#[test]
fn integers_of_other_forms() {
    let read = |text: &str| Number::parse(text).unwrap().to_bigint().map(|int| int.to_radix(10));
    assert_eq!(read("-0").as_deref(), Some("0"));
    assert_eq!(read("12.50e1").as_deref(), Some("125"));
    assert_eq!(read("-12e30"), Some(format!("-12{}", "0".repeat(30))));
    assert_eq!(read("1.5"), None);
}
