//! Which names are those of secrets.

/// A name with one of these in it is a secret's, however it is written: `apiKey`, `API-KEY`, `x_api_key`.
const SECRET_NAMES: [&str; 19] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "signingkey",
    "encryptionkey",
    "credential",
    "authorization",
    "cookie",
    "bearer",
    "sessionid",
    "connectionstring",
    "pincode",
    "cvv",
];

/// Whether a value under this name is a secret.
pub fn is_secret_name(name: &str) -> bool {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = plain.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|secret| plain.contains(secret))
        || matches!(plain.as_str(), "auth" | "pin" | "otp" | "key")
}
