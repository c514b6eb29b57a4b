import { RESOURCE_TYPES } from '../content/resource-types.js';

export type ParameterType = 'token' | 'reference' | 'date' | 'uri' | 'special';

/** The parameters of FHIR R4 for every type that this service supports. */
export const COMMON_PARAMETERS: Readonly<Record<string, ParameterType>> = {
  _id: 'token',
  _lastUpdated: 'date',
  _profile: 'uri',
  _tag: 'token',
};

const WITHOUT_IDENTIFIER = wordsOf(`
  AdverseEvent AuditEvent Binary BiologicallyDerivedProduct CapabilityStatement CatalogEntry CompartmentDefinition
  GraphDefinition ImplementationGuide Linkage MedicationKnowledge MedicinalProductContraindication
  MedicinalProductIndication MedicinalProductIngredient MedicinalProductInteraction MedicinalProductManufactured
  MedicinalProductUndesirableEffect MessageHeader NamingSystem ObservationDefinition OperationDefinition
  OperationOutcome Parameters Provenance SearchParameter Subscription SubstanceNucleicAcid SubstancePolymer
  SubstanceProtein SubstanceReferenceInformation SubstanceSourceMaterial SubstanceSpecification
  TerminologyCapabilities VerificationResult`);

const WITH_SUBJECT = wordsOf(`
  Account AdverseEvent Basic CarePlan CareTeam ChargeItem ClinicalImpression Communication CommunicationRequest
  Composition Condition Contract DeviceRequest DeviceUseStatement DiagnosticReport DocumentManifest
  DocumentReference Encounter EnrollmentRequest Flag Goal GuidanceResponse ImagingStudy Invoice List MeasureReport
  Media MedicationAdministration MedicationDispense MedicationRequest MedicationStatement
  MedicinalProductAuthorization MedicinalProductContraindication MedicinalProductIndication
  MedicinalProductInteraction MedicinalProductPackaged MedicinalProductUndesirableEffect Observation Procedure
  QuestionnaireResponse RequestGroup RiskAssessment ServiceRequest Specimen SupplyRequest Task`);

const WITH_PATIENT = wordsOf(`
  Account AllergyIntolerance Appointment AppointmentResponse AuditEvent Basic BodyStructure CarePlan CareTeam
  ChargeItem Claim ClaimResponse ClinicalImpression Communication CommunicationRequest Composition Condition
  Consent Contract Coverage CoverageEligibilityRequest CoverageEligibilityResponse DetectedIssue Device
  DeviceRequest DeviceUseStatement DiagnosticReport DocumentManifest DocumentReference Encounter EnrollmentRequest
  EpisodeOfCare ExplanationOfBenefit FamilyMemberHistory Flag Goal GuidanceResponse ImagingStudy Immunization
  ImmunizationEvaluation ImmunizationRecommendation Invoice List MeasureReport Media MedicationAdministration
  MedicationDispense MedicationRequest MedicationStatement MolecularSequence NutritionOrder Observation Person
  Procedure Provenance QuestionnaireResponse RelatedPerson RequestGroup ResearchSubject RiskAssessment
  ServiceRequest Specimen SupplyDelivery Task VisionPrescription`);

const OF_TYPE = new Map(RESOURCE_TYPES.map((type) => [type, parametersFor(type)]));

/** The search parameters of a type; without a type, those of a search over all types. */
export function parametersOf(resourceType: string | undefined): Readonly<Record<string, ParameterType>> {
  const ofAll = {
    ...COMMON_PARAMETERS,
    _type: 'special',
    identifier: 'token',
    patient: 'reference',
    subject: 'reference',
  };
  return resourceType === undefined ? (ofAll as Record<string, ParameterType>) : (OF_TYPE.get(resourceType) ?? {});
}

function parametersFor(type: string): Readonly<Record<string, ParameterType>> {
  return {
    ...COMMON_PARAMETERS,
    ...(!WITHOUT_IDENTIFIER.has(type) && { identifier: 'token' as const }),
    ...(WITH_PATIENT.has(type) && { patient: 'reference' as const }),
    ...(WITH_SUBJECT.has(type) && { subject: 'reference' as const }),
  };
}

function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}
