import { readFileSync } from 'node:fs';
import { SAMPLE_IMAGE, SAMPLE_INSTANCE, sampleImage } from './make-sample-image.js';
import { openService } from './open-service.js';

describe('the sample image', () => {
  it('given its generator, then the file is what the generator writes, and small', () => {
    const file = readFileSync(SAMPLE_IMAGE);

    expect(file.equals(sampleImage())).toBe(true);
    expect(file.length).toBeLessThan(4096);
  });

  it('given the service gets the image, then it stores the image without a warning', () => {
    const { send, published } = openService();

    const answer = send('POST', 'studies', {
      body: readFileSync(SAMPLE_IMAGE),
      headers: { 'content-type': 'application/dicom' },
    });

    expect(answer.status).toBe(200);
    expect(published).toMatchObject([{ change: 'created', instanceUid: SAMPLE_INSTANCE }]);
  });
});
