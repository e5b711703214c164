package scenario

// A role says what a service is for, whatever it is called.
type role string

const (
	roleCards         role = "cards" // where the card networks' requests arrive
	roleMobile        role = "mobile"
	roleWeb           role = "web"
	rolePartner       role = "partner"
	roleAuthorisation role = "authorisation"
	rolePayments      role = "payments"
	roleFraud         role = "fraud"
	roleLedger        role = "ledger"
	roleLimits        role = "limits"
	roleProfile       role = "profile"
	roleVault         role = "vault"
	roleRates         role = "rates"
	roleNotification  role = "notification"
	roleSettlement    role = "settlement"
	roleIdentity      role = "identity"
	roleHistory       role = "history"
	roleMerchants     role = "merchants"
	roleLending       role = "lending"
	roleAudit         role = "audit"
	rolePolicy        role = "policy"
	roleFeatures      role = "features"
	roleReference     role = "reference"
	roleSessions      role = "sessions"
	roleTrading       role = "trading" // of one family each, as those that follow
	rolePostTrade     role = "post-trade"
	roleBatches       role = "batches"
	roleCounterparty  role = "counterparty"
	roleMortgage      role = "mortgage"
	roleDocuments     role = "documents"
	rolePricing       role = "pricing"
	roleMarketData    role = "market-data"
	roleCorporate     role = "corporate"
	roleFiles         role = "files"
	roleCommercial    role = "commercial"
	roleNetwork       role = "network" // vendors, from here on
	roleBureau        role = "bureau"
	rolePush          role = "push"
	roleClearing      role = "clearing"
	roleCompanies     role = "companies"
	roleScreening     role = "screening"
	roleCollateral    role = "collateral"
	roleSignature     role = "signature"
)

// names are what banks call a service of each role.
var names = map[role][]string{
	roleCards:         {"card-gateway", "acquirer-gateway", "card-switch", "pos-gateway"},
	roleMobile:        {"mobile-bff", "app-gateway", "mobile-edge", "mobile-api"},
	roleWeb:           {"web-gateway", "netbank", "portal-gateway", "web-bff"},
	rolePartner:       {"open-banking", "partner-gateway", "psd2-gateway", "tpp-gateway"},
	roleAuthorisation: {"authorisation", "auth-engine", "issuer-core", "card-decision"},
	rolePayments:      {"payments", "transfers", "payment-orchestrator", "money-mover"},
	roleFraud:         {"fraud-guard", "risk-scoring", "fraud-check", "sentinel"},
	roleLedger:        {"core-banking", "ledger", "account-core", "deposits"},
	roleLimits:        {"limits", "spend-control", "velocity", "allowances"},
	roleProfile:       {"customer-profile", "party", "customer-master", "client-data"},
	roleVault:         {"token-vault", "pan-vault", "tokenizer", "card-vault"},
	roleRates:         {"fx-rates", "currency", "forex", "rate-board"},
	roleNotification:  {"notification", "alerts", "messaging-hub", "customer-comms"},
	roleSettlement:    {"settlement", "clearing-adapter", "reconciliation", "payout"},
	roleIdentity:      {"identity", "login", "iam", "access"},
	roleHistory:       {"statements", "activity-feed", "account-history", "bookings"},
	roleMerchants:     {"merchant-directory", "merchant-data", "acceptor-registry", "merchant-lookup"},
	roleLending:       {"lending", "credit-desk", "loan-origination", "loans"},
	roleAudit:         {"audit-log", "journal", "compliance-log", "evidence"},
	rolePolicy:        {"policy-engine", "entitlements", "decision-rules", "consent"},
	roleFeatures:      {"feature-service", "model-features", "signals", "enrichment"},
	roleReference:     {"reference-data", "static-data", "product-catalogue", "calendar"},
	roleSessions:      {"session-store", "token-service", "session", "sso"},
	roleTrading:       {"trade-gateway", "dealing-desk", "execution-gateway", "markets-portal"},
	rolePostTrade:     {"post-trade", "settlement-engine", "trade-settlement", "settle-core"},
	roleBatches:       {"batch-booking", "bulk-settler", "netting", "batch-runner"},
	roleCounterparty:  {"counterparty-gateway", "street-connector", "broker-link", "market-connector"},
	roleMortgage:      {"mortgage-origination", "home-loans", "property-finance", "mortgage-desk"},
	roleDocuments:     {"document-processor", "document-intake", "paperwork", "document-verification"},
	rolePricing:       {"options-pricing", "pricing-engine", "quote-engine", "derivatives-pricer"},
	roleMarketData:    {"market-data", "vol-surface", "tick-store", "surface-service"},
	roleCorporate:     {"corporate-gateway", "host-to-host", "file-gateway", "treasury-portal"},
	roleFiles:         {"payment-files", "file-intake", "bulk-import", "mass-payments"},
	roleCommercial:    {"commercial-lending", "business-loans", "loan-processing", "credit-decision"},
	roleNetwork:       {"card-network", "scheme-link", "interbank-network", "card-rail"},
	roleBureau:        {"credit-bureau", "score-agency", "debt-register", "credit-file"},
	rolePush:          {"push-provider", "sms-carrier", "mail-relay", "push-cloud"},
	roleClearing:      {"clearing-house", "payment-rail", "ach-operator", "central-clearing"},
	roleCompanies:     {"company-bureau", "trade-credit-register", "business-scores", "insolvency-index"},
	roleScreening:     {"sanctions-screening", "watchlist-check", "compliance-cloud", "name-match"},
	roleCollateral:    {"valuation-hub", "collateral-register", "asset-appraisal", "price-atlas"},
	roleSignature:     {"sign-cloud", "e-signature", "document-seal", "signing-room"},
}

var (
	suffixes   = []string{"", "", "-svc", "-service", "-api", "-app"}
	prefixes   = []string{"", "/v1", "/api", "/api/v2", "/internal"}
	namespaces = []string{"bank", "retail", "core", "payments", "prod"}
	domains    = []string{"bank.internal", "svc.cluster.local", "int.example", "corp.example"}
	languages  = []string{"java", "java", "go", "dotnet", "nodejs"}
	geography  = [][]string{
		{"eu-central", "eu-west"}, {"emea", "apac"}, {"frankfurt", "dublin", "madrid"}, {"us-east", "us-west"},
		{"north", "south", "west"},
	}
)
