//! Files of returned payments, made from the positions of the format alone.

/// A record of a returned payment from the record of the payment: type 2, the return code, the original day and user.
#[must_use]
pub fn record(payment: &str, code: char) -> String {
    assert!(payment.len() == 120 && payment.starts_with('1'), "{payment}");
    format!("2{}{code}{}25301500", &payment[1..17], &payment[18..112])
}

/// A record of a payment to nobody that is known.
#[must_use]
pub fn unknown(reference: &str, cents: i64) -> String {
    let payment = format!(
        "1062-000 99999999 50{cents:010}{:<32}{reference:<18}062-000 12345678{:<16}00000000",
        "NOBODY", "FLIP 360"
    );
    record(&payment, '6')
}

/// A file of these records, dated DDMMYY.
#[must_use]
pub fn file(records: &[String], dated: &str) -> String {
    let total: i64 = records.iter().map(|r| r[20..30].parse::<i64>().expect("cents")).sum();
    let header = format!("0{:17}01CBA{:7}{:<26}301500{:<12}{dated}{:40}", "", "", "FLIP 360 PTY LTD", "RETURNS", "");
    let trailer = format!("7999-999{:12}{total:010}{total:010}{:010}{:24}{:06}{:40}", "", 0, "", records.len(), "");
    let all = [std::slice::from_ref(&header), records, std::slice::from_ref(&trailer)].concat();
    all.iter().map(|record| format!("{record}\r\n")).collect()
}

/// The payments of a bank file, as their records.
#[must_use]
pub fn payments(bank_file: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(bank_file).expect("ASCII");
    text.lines().filter(|line| line.starts_with('1') && &line[18..20] != "13").map(str::to_owned).collect()
}
