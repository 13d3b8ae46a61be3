//! The ids of every aggregate, in one place so that no two prefixes meet.

use crate::typed_id;

typed_id!(/// An organisation.
    OrganisationId, "org");
typed_id!(/// A contact: a person or a company.
    ContactId, "contact");
typed_id!(/// An erasure of a contact.
    ErasureId, "erasure");
typed_id!(/// A member: a contact that may refer.
    MemberId, "member");
typed_id!(/// What members are grouped by.
    CohortId, "cohort");
typed_id!(/// What an organisation may do by law.
    LicenceId, "licence");
typed_id!(/// Who gets paid.
    PayeeId, "payee");
typed_id!(/// A change of a payee's bank account.
    BankChangeId, "bankchange");
typed_id!(/// A public signing key in the registry.
    SigningKeyId, "key");
typed_id!(/// A vertical.
    VerticalId, "vertical");
typed_id!(/// A product.
    ProductId, "product");
typed_id!(/// An agreement.
    AgreementId, "agreement");
typed_id!(/// A lookup table of agreements.
    LookupTableId, "table");
typed_id!(/// A stored calculation.
    CalculationId, "calc");
typed_id!(/// A deal.
    DealId, "deal");
typed_id!(/// An import of deals.
    DealImportId, "import");
typed_id!(/// The declaration by which an organisation answers for an imported file.
    DeclarationId, "declaration");
typed_id!(/// A run over the trails of a month.
    TrailRunId, "trailrun");
typed_id!(/// Evidence that a witness refused a checkpoint.
    EvidenceId, "evidence");
typed_id!(/// A handshake.
    HandshakeId, "handshake");
typed_id!(/// A commission line: what one participant earns on one deal by one component.
    LineId, "line");
typed_id!(/// A ledger account.
    AccountId, "account");
typed_id!(/// A ledger entry.
    EntryId, "entry");
typed_id!(/// One of our own bank accounts.
    BankAccountId, "bank");
typed_id!(/// A payout run.
    PayoutRunId, "run");
typed_id!(/// A payout.
    PayoutId, "payout");
typed_id!(/// A user.
    UserId, "user");
typed_id!(/// An API client.
    ApiClientId, "client");
typed_id!(/// An outside issuer of ID tokens.
    OidcIssuerId, "issuer");
typed_id!(/// A public key of an API client.
    ApiClientKeyId, "clientkey");
typed_id!(/// A simulation of agreements.
    SimulationId, "simulation");
typed_id!(/// A job.
    JobId, "job");
typed_id!(/// An event.
    EventId, "event");
typed_id!(/// A run of the guarantees.
    GuaranteeRunId, "grun");
typed_id!(/// Where webhooks are sent to.
    WebhookEndpointId, "endpoint");
typed_id!(/// One event on its way to one endpoint.
    WebhookDeliveryId, "delivery");
typed_id!(/// An entry by hand, from its proposal on.
    ManualEntryId, "manual");
typed_id!(/// An accounting period.
    AccountingPeriodId, "period");
typed_id!(/// A shortfall that is to be accepted.
    WriteOffId, "writeoff");
typed_id!(/// A payment to the tax office.
    TaxRemittanceId, "remittance");
typed_id!(/// A tax paper: an invoice, adjustment note, remittance statement or payment summary.
    TaxDocumentId, "taxdoc");
typed_id!(/// An agreement that we write a payee's tax invoices.
    RctiAgreementId, "rcti");
typed_id!(/// The assignment of unpaid lines to another payee.
    AssignmentId, "assignment");
typed_id!(/// A plan by which a clawback is got back.
    RecoveryPlanId, "plan");
typed_id!(/// A statement of a provider: what it says that it paid.
    ProviderStatementId, "pstatement");
typed_id!(/// One line of a provider's statement.
    ProviderStatementLineId, "pline");
typed_id!(/// Something that does not match, with an owner and an age.
    ExceptionId, "exception");
typed_id!(/// A statement of one of our bank accounts.
    BankStatementId, "bstatement");
typed_id!(/// One line of a bank statement.
    BankStatementLineId, "bline");
typed_id!(/// A file of returned payments.
    BankReturnId, "breturn");
typed_id!(/// A file of payments for a bank.
    BankFileId, "bankfile");
typed_id!(/// What we hold of a payee's account at Stripe.
    StripeAccountId, "stripe");
typed_id!(/// A hold: money of a line that is put aside.
    HoldId, "hold");
typed_id!(/// A reversal of a transfer at Stripe that we asked for.
    TransferReversalId, "reversal");
