// Writes fixtures/aba_generator.aba: the file that npm aba-generator 2.1.0 makes of the items below.
//
//     npm install aba-generator@2.1.0 && node aba_generator.js
//
// Documented differences: no CRLF after the last record; accounts are blank-filled on the left like ours.
// The tests read the committed file; this script is only needed to make it anew.
const fs = require("fs");
const path = require("path");
const ABA = require("aba-generator");

const own = { traceBsb: "062-000", traceAccount: "12345678", remitter: "FLIP 360" };
const items = [
  { bsb: "062-000", account: "10000001", amount: 1234.56, accountTitle: "JANE CITIZEN", reference: "RUN 1 M001", transactionCode: ABA.PAY, ...own },
  { bsb: "013-006", account: "000123", amount: 0.01, accountTitle: "O'BRIEN & CO PTY LTD", reference: "RUN 1 M002", transactionCode: ABA.PAY, ...own },
  { bsb: "484-799", account: "123456789", amount: 99999.99, accountTitle: "A TITLE OF THIRTY-TWO LETTERS X.", reference: "EIGHTEEN LETTERS 1", transactionCode: ABA.PAY, ...own },
];
const debit = { bsb: "062-000", account: "12345678", amount: 101234.56, accountTitle: "FLIP 360 PTY LTD", reference: "RUN 1", transactionCode: ABA.DEBIT, ...own };
const header = { bank: "CBA", user: "FLIP 360 PTY LTD", userNumber: "301500", description: "COMMISSION", date: "020726" };
const out = path.join(__dirname, "fixtures");
fs.writeFileSync(path.join(out, "aba_generator.aba"), new ABA({ header }).generate(items));
fs.writeFileSync(path.join(out, "aba_generator_balanced.aba"), new ABA({ header }).generate([...items, debit]));
