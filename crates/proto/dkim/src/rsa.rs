//! Making RSA keys (FIPS 186-5 appendix A.1.3: two random primes that are far apart, e = 65537). *ring* signs with RSA keys
//! but makes none; it checks what comes out here as it does every key that is read.

use crate::der;
use crate::key::rsa_in_pkcs8;
use num_bigint::BigUint;
use zeroize::Zeroizing;

/// Bits that can be asked for.
pub const RSA_BITS: [usize; 3] = [2048, 3072, 4096];

const EXPONENT: u32 = 65537;
/// Rounds of Miller and Rabin: the chance to take a composite for a prime is below 4^-32 for any number, and far smaller
/// for random ones (FIPS 186-5 table B.1 asks for 5).
const ROUNDS: u32 = 32;
/// Primes below this are tried first: five of six candidates go without a power being computed.
const SMALL_PRIMES_BELOW: u32 = 2000;

/// Fills with random octets.
pub type Random<'a> = &'a mut dyn FnMut(&mut [u8]);

/// Makes a key of `bits` (one of [`RSA_BITS`]), in PKCS#8. Takes about a second for 2048 bits.
///
/// # Panics
/// For another number of bits.
pub fn rsa_pkcs8(bits: usize, random: Random<'_>) -> Zeroizing<Vec<u8>> {
    assert!(RSA_BITS.contains(&bits), "bits are one of RSA_BITS");
    let small = small_primes();
    let half = bits / 2;
    let one = BigUint::from(1_u32);
    let e = BigUint::from(EXPONENT);
    loop {
        let (mut p, mut q) = (prime(half, &small, random), prime(half, &small, random));
        if p < q {
            std::mem::swap(&mut p, &mut q);
        }
        // Primes that are close to each other are found from their product.
        if (&p - &q).bits() as usize <= half - 100 {
            continue;
        }
        let (p1, q1) = (&p - &one, &q - &one);
        let (product, lambda) = (&p1 * &q1, &p1 * &q1 / common_divisor(p1.clone(), q1.clone()));
        debug_assert!(lambda <= product);
        let (Some(d), Some(coefficient)) = (e.modinv(&lambda), q.modinv(&p)) else { continue };
        if d.bits() as usize <= half {
            continue;
        }
        let numbers = [&BigUint::ZERO, &(&p * &q), &e, &d, &p, &q, &(&d % &p1), &(&d % &q1), &coefficient];
        return in_der(&numbers);
    }
}

/// RSAPrivateKey (RFC 8017 §A.1.2) in PKCS#8.
fn in_der(numbers: &[&BigUint]) -> Zeroizing<Vec<u8>> {
    let mut inside = Zeroizing::new(Vec::with_capacity(4096));
    for number in numbers {
        let octets = Zeroizing::new(number.to_bytes_be());
        der::put_number(&octets, &mut inside);
    }
    let mut key = Zeroizing::new(Vec::with_capacity(4096));
    der::put(der::SEQUENCE, &inside, &mut key);
    rsa_in_pkcs8(&key)
}

/// A random prime with its two highest bits set, so that the product of two has twice the bits.
fn prime(bits: usize, small: &[u32], random: Random<'_>) -> BigUint {
    let mut octets = Zeroizing::new(vec![0; bits / 8]);
    loop {
        random(&mut octets);
        octets[0] |= 0xc0;
        octets[bits / 8 - 1] |= 1;
        let candidate = BigUint::from_bytes_be(&octets);
        let has_divisor = small.iter().any(|prime| &candidate % prime == BigUint::ZERO);
        // e has to have an inverse.
        let suits_exponent = &candidate % EXPONENT != BigUint::from(1_u32);
        if !has_divisor && suits_exponent && is_prime(&candidate, random) {
            return candidate;
        }
    }
}

/// Miller and Rabin, with random bases (FIPS 186-5 appendix B.3.1). `n` is odd and large.
fn is_prime(n: &BigUint, random: Random<'_>) -> bool {
    let one = BigUint::from(1_u32);
    let less = n - &one;
    let twos = less.trailing_zeros().unwrap_or(0);
    let odd = &less >> twos;
    let mut octets = vec![0; n.to_bytes_be().len()];
    (0..ROUNDS).all(|_| {
        random(&mut octets);
        // 2 to n - 2; that some are a little likelier does not matter here.
        let base = BigUint::from_bytes_be(&octets) % (n - 3_u32) + 2_u32;
        let mut power = base.modpow(&odd, n);
        if power == one || power == less {
            return true;
        }
        (1..twos).any(|_| {
            power = &power * &power % n;
            power == less
        })
    })
}

fn small_primes() -> Vec<u32> {
    let is_prime = |n: &u32| {
        (2..*n).take_while(|divisor| divisor * divisor <= *n).all(|divisor| !n.is_multiple_of(divisor))
    };
    (3..SMALL_PRIMES_BELOW).filter(is_prime).collect()
}

/// Euclid's.
fn common_divisor(mut a: BigUint, mut b: BigUint) -> BigUint {
    while b != BigUint::ZERO {
        (a, b) = (b.clone(), a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::SigningKey;

    /// Random enough for tests, and the same each time.
    fn steady(mut state: u64) -> impl FnMut(&mut [u8]) {
        move |octets| {
            for octet in octets {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                *octet = (state >> 32) as u8;
            }
        }
    }

    #[test]
    fn primes_are_told_from_composites() {
        let mut random = steady(1);
        let mut check = |text: &str| is_prime(&text.parse::<BigUint>().unwrap(), &mut random);
        // 2^127 - 1 and 2^61 - 1 are primes of Mersenne; their product is none, nor are a Carmichael number and a strong
        // pseudoprime to the bases 2, 3, 5 and 7.
        assert!(check("170141183460469231731687303715884105727"));
        assert!(check("2305843009213693951"));
        for composite in
            ["392318858461667547569595655490009919272404068553904357377", "561", "3215031751", "9"]
        {
            assert!(!check(composite), "{composite}");
        }
        assert_eq!(small_primes()[..5], [3, 5, 7, 11, 13]);
    }

    #[test]
    fn keys_are_what_ring_takes() {
        let mut random = steady(2);
        let key = SigningKey::from_pkcs8(&rsa_pkcs8(2048, &mut random)).unwrap();
        assert_eq!(key.bits(), 2048);
        let other = SigningKey::from_pkcs8(&rsa_pkcs8(2048, &mut random)).unwrap();
        assert_ne!(key.record(), other.record());
        let public = crate::PublicKey::read(key.record().as_bytes()).unwrap();
        assert_eq!(public.bits(), 2048);
        assert!(public.verifies(b"octets", &key.sign(b"octets")));
        assert!(!public.verifies(b"octetz", &key.sign(b"octets")));
    }
}
