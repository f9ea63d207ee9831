//! Category crypto: digests and message authentication.

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use rego_value::Value;
use sha1::Sha1;
use sha2::digest::Digest;
use sha2::{Sha256, Sha512};

use crate::args::Args;
use crate::context::Context;
use crate::encoding::hex;
use crate::error::BuiltinError;

type Outcome = Result<Option<Value>, BuiltinError>;

fn digest<D: Digest>(args: &[Value]) -> Outcome {
    Ok(Some(hex(&D::digest(Args(args).string(1)?)).into()))
}

/// `crypto.md5`
pub(crate) fn md5(_: &mut Context, args: &[Value]) -> Outcome {
    digest::<Md5>(args)
}

/// `crypto.sha1`
pub(crate) fn sha1(_: &mut Context, args: &[Value]) -> Outcome {
    digest::<Sha1>(args)
}

/// `crypto.sha256`
pub(crate) fn sha256(_: &mut Context, args: &[Value]) -> Outcome {
    digest::<Sha256>(args)
}

fn authenticate<M: Mac + KeyInit>(args: &[Value]) -> Outcome {
    let args = Args(args);
    let message = args.string(1)?;
    // Keys of any length are good for HMAC.
    let mut mac = M::new_from_slice(args.string(2)?.as_bytes())
        .map_err(|error| BuiltinError::new(error.to_string()))?;
    mac.update(message.as_bytes());
    Ok(Some(hex(&mac.finalize().into_bytes()).into()))
}

/// `crypto.hmac.md5`
pub(crate) fn hmac_md5(_: &mut Context, args: &[Value]) -> Outcome {
    authenticate::<Hmac<Md5>>(args)
}

/// `crypto.hmac.sha1`
pub(crate) fn hmac_sha1(_: &mut Context, args: &[Value]) -> Outcome {
    authenticate::<Hmac<Sha1>>(args)
}

/// `crypto.hmac.sha256`
pub(crate) fn hmac_sha256(_: &mut Context, args: &[Value]) -> Outcome {
    authenticate::<Hmac<Sha256>>(args)
}

/// `crypto.hmac.sha512`
pub(crate) fn hmac_sha512(_: &mut Context, args: &[Value]) -> Outcome {
    authenticate::<Hmac<Sha512>>(args)
}

/// `crypto.hmac.equal`: takes the same time wherever the texts differ.
pub(crate) fn hmac_equal(_: &mut Context, args: &[Value]) -> Outcome {
    let args = Args(args);
    let (a, b) = (args.string(1)?.as_bytes(), args.string(2)?.as_bytes());
    let difference = a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b));
    Ok(Some((a.len() == b.len() && std::hint::black_box(difference) == 0).into()))
}
